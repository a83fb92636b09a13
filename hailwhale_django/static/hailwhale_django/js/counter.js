// A counter's page: the graph, and what saves a click. All else works without this file.
// Texts are the server's: a point's is read from the table of numbers beneath the graph.

const FADED = 0.2;
const BORDER_WIDTH = 2;

let chart = null;

function drawing() {
    const data = document.getElementById("hw-graph-data");
    return data ? JSON.parse(data.textContent) : null;
}

// Colours are asked of the page each time, so that a theme chosen later is followed.
function colourOf(selector) {
    const element = document.querySelector(selector);
    return element ? getComputedStyle(element).color : "";
}

function withAlpha(colour, alpha) {
    return colour.replace(/^rgb\(/, "rgba(").replace(/\)$/, `, ${alpha})`);
}

function textOf(point, line) {
    return document.querySelector("#hw-numbers tbody").rows[point].cells[line + 1].textContent;
}

function labelOf(point) {
    return document.querySelector("#hw-numbers tbody").rows[point].cells[0].textContent;
}

function nameOf(line) {
    return document.querySelector("#hw-numbers thead").rows[0].cells[line + 1].textContent;
}

// A value between two gaps is no line; it is drawn as a dot.
function radii(points) {
    const gap = (at) => points[at] === null || points[at] === undefined;
    return points.map((value, at) => (value !== null && gap(at - 1) && gap(at + 1) ? 3 : 0));
}

function dataset(line, index, all, unfinished) {
    const colour = colourOf(`.hw-legend .hw-line-${line.number}`);
    const last = line.points.length - 1;
    return {
        label: nameOf(index),
        data: line.points,
        borderColor: line.before ? withAlpha(colour, 0.6) : colour,
        backgroundColor: withAlpha(colour, 0.12),
        pointBackgroundColor: colour,
        borderWidth: line.before ? 1.5 : BORDER_WIDTH,
        borderDash: line.before ? [5, 4] : [],
        fill: all.length === 1 || (all.length === 2 && all[1].before && index === 0) ? "origin" : false,
        pointRadius: radii(line.points),
        pointHoverRadius: 4,
        cubicInterpolationMode: "monotone",
        // What is not over yet must not look like a fall.
        segment: { borderDash: (part) => (unfinished && part.p1DataIndex === last ? [3, 3] : undefined) },
    };
}

function swatch(colour) {
    return { borderColor: colour, backgroundColor: colour };
}

function draw() {
    const canvas = document.getElementById("hw-graph");
    const data = drawing();
    if (!canvas || !data || !window.Chart) {
        return;
    }
    chart?.destroy();
    const style = getComputedStyle(canvas);
    const [text, hairline] = [style.color, style.borderTopColor];
    const background = style.backgroundColor;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const numbers = new Intl.NumberFormat(document.documentElement.lang || undefined, {
        notation: "compact",
        maximumSignificantDigits: 4,
    });
    chart = new window.Chart(canvas, {
        type: "line",
        data: {
            labels: data.ticks,
            datasets: data.lines.map((line, index, all) => dataset(line, index, all, data.unfinished)),
        },
        options: {
            responsive: true,
            maintainAspectRatio: false,
            animation: still ? false : { duration: 250 },
            interaction: { mode: "index", intersect: false },
            font: { family: style.fontFamily },
            plugins: {
                legend: { display: false },
                tooltip: {
                    backgroundColor: background,
                    titleColor: colourOf(".hw-page"),
                    bodyColor: colourOf(".hw-page"),
                    borderColor: hairline,
                    borderWidth: 1,
                    padding: 10,
                    boxPadding: 4,
                    callbacks: {
                        labelColor: (item) => swatch(item.dataset.borderColor),
                        title: (items) => (items.length ? labelOf(items[0].dataIndex) : ""),
                        label: (item) => ` ${nameOf(item.datasetIndex)}: ${textOf(item.dataIndex, item.datasetIndex)}`,
                    },
                },
            },
            scales: {
                x: {
                    grid: { display: false },
                    border: { color: hairline },
                    ticks: { color: text, maxRotation: 0, autoSkip: true, autoSkipPadding: 20 },
                },
                y: {
                    beginAtZero: true,
                    grid: { color: hairline },
                    border: { display: false },
                    ticks: { color: text, maxTicksLimit: 6, callback: (value) => numbers.format(value) },
                },
            },
        },
    });
}

// Arrow keys go from point to point; what stands there is told.
function showPoint(point) {
    const active = chart.data.datasets.map((_, datasetIndex) => ({ datasetIndex, index: point }));
    chart.setActiveElements(active);
    chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
    chart.update("none");
    const values = chart.data.datasets.map((_, line) => `${nameOf(line)} ${textOf(point, line)}`);
    document.getElementById("hw-point").textContent = `${labelOf(point)}: ${values.join(", ")}`;
}

function hidePoint() {
    chart.setActiveElements([]);
    chart.tooltip.setActiveElements([], { x: 0, y: 0 });
    chart.update("none");
    document.getElementById("hw-point").textContent = "";
}

function onGraphKey(event) {
    if (event.target.id !== "hw-graph" || !chart) {
        return;
    }
    const last = chart.data.labels.length - 1;
    const at = chart.getActiveElements()[0]?.index;
    const point = {
        ArrowRight: at === undefined ? 0 : Math.min(at + 1, last),
        ArrowLeft: at === undefined ? last : Math.max(at - 1, 0),
        Home: 0,
        End: last,
    }[event.key];
    if (point !== undefined) {
        event.preventDefault();
        showPoint(point);
    } else if (event.key === "Escape") {
        hidePoint();
    }
}

// Over a name in the legend or a row of the table, its line stands out.
function standOut(number) {
    const data = drawing();
    if (!chart || !data) {
        return;
    }
    chart.data.datasets.forEach((line, index) => {
        const colour = colourOf(`.hw-legend .hw-line-${data.lines[index].number}`);
        const faded = number !== null && data.lines[index].number !== number;
        line.borderColor = line.pointBackgroundColor = faded ? withAlpha(colour, FADED) : colour;
        line.borderWidth = number !== null && !faded ? BORDER_WIDTH + 1 : BORDER_WIDTH;
    });
    chart.update("none");
}

function numberOf(element) {
    const marked = element.closest(".hw-legend li, .hw-ranked tbody tr");
    const holder = marked?.matches("li") ? marked : marked?.querySelector(".hw-tick");
    const found = holder?.className.match(/hw-line-([1-9])/);
    return found ? Number(found[1]) : null;
}

let standing = null;

function onPointer(event) {
    const number = event.target instanceof Element ? numberOf(event.target) : null;
    if (number !== standing) {
        standing = number;
        standOut(number);
    }
}

// Pickers apply at once. A text is applied with Enter or the button.
function onChange(event) {
    const field = event.target;
    if (field.name === "rows" && field.form) {
        void redrawRows(field.form, field.id);
    } else if (field instanceof HTMLSelectElement && field.form?.matches("[data-submits]")) {
        const text = field.form.elements.period_text;
        if (field.name === "p" && field.value === "") {
            text.focus();
            return;
        }
        if (field.name === "p") {
            text.value = "";
        }
        field.form.requestSubmit();
    }
}

let latest = 0;

// Ticking a row fetches the page with that row on the graph, and leaves the reader where they are.
async function redrawRows(form, focused) {
    const mine = ++latest;
    const query = new URLSearchParams(new FormData(form));
    const address = `${location.pathname}?${query}`;
    try {
        const answer = await fetch(address, { credentials: "same-origin" });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".hw-page");
        if (mine !== latest) {
            return;
        }
        if (!answer.ok || !page || new URL(answer.url).pathname !== location.pathname) {
            location.assign(address);
            return;
        }
        // A longer legend must not push away the row under the pointer.
        const table = () => document.querySelector("#hw-rows .hw-scroll");
        const place = () => document.getElementById(focused)?.getBoundingClientRect().top ?? 0;
        const [sideways, before] = [table().scrollLeft, place()];
        document.querySelector(".hw-page").replaceWith(document.adoptNode(page));
        history.replaceState(null, "", answer.url);
        table().scrollLeft = sideways;
        document.getElementById(focused)?.focus({ preventScroll: true });
        scrollBy(0, place() - before);
        draw();
    } catch {
        location.assign(address);
    }
}

function start() {
    draw();
    document.addEventListener("change", onChange);
    document.addEventListener("keydown", onGraphKey);
    document.addEventListener("pointerover", onPointer);
    document.addEventListener("focusout", (event) => {
        if (event.target.id === "hw-graph" && chart) {
            hidePoint();
        }
    });
    new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

start();
