// Lines over time, drawn from the table of numbers beneath them: texts are the server's, colours the page's.
// A graph is an element with a canvas, a legend, a table, a status that is read aloud, and points as JSON.

const FADED = 0.2;
const BORDER_WIDTH = 2;

export class Graph {
    constructor(element) {
        this.element = element;
        this.canvas = element.querySelector("canvas");
        this.chart = null;
    }

    one(selector) {
        return this.element.querySelector(selector);
    }

    get data() {
        return JSON.parse(this.one("script[type='application/json']").textContent);
    }

    // Colours are asked of the page each time, so that a theme chosen later is followed.
    colourOf(line) {
        return getComputedStyle(this.one(`.hw-legend .hw-line-${line.number}`)).color;
    }

    textOf(point, line) {
        return this.one("tbody").rows[point].cells[line + 1].textContent;
    }

    labelOf(point) {
        return this.one("tbody").rows[point].cells[0].textContent;
    }

    nameOf(line) {
        return this.one("thead").rows[0].cells[line + 1].textContent;
    }

    tell(text) {
        this.one("[role='status']").textContent = text;
    }

    dataset(line, index, all, unfinished) {
        const colour = this.colourOf(line);
        const last = line.points.length - 1;
        const isAlone = all.length === 1 || (all.length === 2 && all[1].before && index === 0);
        return {
            label: this.nameOf(index),
            data: line.points,
            borderColor: line.before ? withAlpha(colour, 0.6) : colour,
            backgroundColor: withAlpha(colour, 0.12),
            pointBackgroundColor: colour,
            borderWidth: line.before ? 1.5 : BORDER_WIDTH,
            borderDash: line.before ? [5, 4] : [],
            fill: isAlone && !line.low ? "origin" : false,
            pointRadius: radii(line.points),
            pointHoverRadius: 4,
            cubicInterpolationMode: "monotone",
            // What is not over yet must not look like a fall.
            segment: { borderDash: (part) => (unfinished && part.p1DataIndex === last ? [3, 3] : undefined) },
        };
    }

    // Where a line's values may be: two lines that are not seen, and what is between them.
    band(line) {
        const area = withAlpha(this.colourOf(line), 0.12);
        const edge = { borderWidth: 0, pointRadius: 0, pointHoverRadius: 0, cubicInterpolationMode: "monotone" };
        return [
            { ...edge, data: line.low, fill: false },
            { ...edge, data: line.high, fill: "-1", backgroundColor: area },
        ];
    }

    draw() {
        if (!window.Chart) {
            return;
        }
        this.chart?.destroy();
        const data = this.data;
        const style = getComputedStyle(this.canvas);
        const loud = getComputedStyle(this.element).color;
        const [text, hairline] = [style.color, style.borderTopColor];
        const background = style.backgroundColor;
        const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
        const numbers = new Intl.NumberFormat(document.documentElement.lang || undefined, {
            notation: "compact",
            maximumSignificantDigits: 4,
        });
        this.chart = new window.Chart(this.canvas, {
            type: "line",
            data: {
                labels: data.ticks,
                datasets: [
                    ...data.lines.map((line, index, all) => this.dataset(line, index, all, data.unfinished)),
                    ...data.lines.filter((line) => line.low).flatMap((line) => this.band(line)),
                ],
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
                        filter: (item) => item.datasetIndex < data.lines.length,
                        backgroundColor: background,
                        titleColor: loud,
                        bodyColor: loud,
                        borderColor: hairline,
                        borderWidth: 1,
                        padding: 10,
                        boxPadding: 4,
                        callbacks: {
                            labelColor: (item) => swatch(item.dataset.borderColor),
                            title: (items) => (items.length ? this.labelOf(items[0].dataIndex) : ""),
                            label: ({ datasetIndex: line, dataIndex: point }) =>
                                ` ${this.nameOf(line)}: ${this.textOf(point, line)}`,
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

    destroy() {
        this.chart?.destroy();
        this.chart = null;
    }

    // Arrow keys go from point to point; what stands there is told.
    showPoint(point) {
        const chart = this.chart;
        const lines = this.data.lines;
        const active = lines.map((_, datasetIndex) => ({ datasetIndex, index: point }));
        chart.setActiveElements(active);
        chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
        chart.update("none");
        const values = lines.map((_, line) => `${this.nameOf(line)} ${this.textOf(point, line)}`);
        this.tell(`${this.labelOf(point)}: ${values.join(", ")}`);
    }

    hidePoint() {
        this.chart.setActiveElements([]);
        this.chart.tooltip.setActiveElements([], { x: 0, y: 0 });
        this.chart.update("none");
        this.tell("");
    }

    onKey(event) {
        if (event.target !== this.canvas || !this.chart) {
            return;
        }
        const last = this.chart.data.labels.length - 1;
        const at = this.chart.getActiveElements()[0]?.index;
        const point = {
            ArrowRight: at === undefined ? 0 : Math.min(at + 1, last),
            ArrowLeft: at === undefined ? last : Math.max(at - 1, 0),
            Home: 0,
            End: last,
        }[event.key];
        if (point !== undefined) {
            event.preventDefault();
            this.showPoint(point);
        } else if (event.key === "Escape") {
            this.hidePoint();
        }
    }

    onLeave(event) {
        if (event.target === this.canvas && this.chart) {
            this.hidePoint();
        }
    }

    // The line of this number stands out; with null all are as they were.
    standOut(number) {
        if (!this.chart) {
            return;
        }
        const lines = this.data.lines;
        this.chart.data.datasets.slice(0, lines.length).forEach((line, index) => {
            const colour = this.colourOf(lines[index]);
            const faded = number !== null && lines[index].number !== number;
            line.borderColor = line.pointBackgroundColor = faded ? withAlpha(colour, FADED) : colour;
            line.borderWidth = number !== null && !faded ? BORDER_WIDTH + 1 : BORDER_WIDTH;
        });
        this.chart.update("none");
    }
}

// Calls back when the page turns dark or light.
export function onTheme(draw) {
    new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

function withAlpha(colour, alpha) {
    return colour.replace(/^rgb\(/, "rgba(").replace(/\)$/, `, ${alpha})`);
}

// A value between two gaps is no line; it is drawn as a dot.
function radii(points) {
    const gap = (at) => points[at] === null || points[at] === undefined;
    return points.map((value, at) => (value !== null && gap(at - 1) && gap(at + 1) ? 3 : 0));
}

function swatch(colour) {
    return { borderColor: colour, backgroundColor: colour };
}
