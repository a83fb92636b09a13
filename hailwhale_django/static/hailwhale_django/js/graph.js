// Lines, areas or bars over time, drawn from the table of numbers beneath them: texts are the server's, colours the
// page's. A graph is an element with a canvas, a legend, tools, a table, a status that is read aloud, and points as JSON.

import { picture, save, sheet } from "./graph-files.js";
import { datasets, isStacked, markedAt, marks, scales } from "./graph-lines.js";
import { Zoom } from "./graph-zoom.js";

let isLoaded = false;

export class Graph {
    constructor(element) {
        this.element = element;
        this.canvas = element.querySelector("canvas");
        this.style = element.dataset.style;
        this.log = "log" in element.dataset;
        this.data = JSON.parse(this.one("script[type='application/json']").textContent);
        this.zoom = new Zoom(this);
        this.standing = null;
        this.isStill = false;
        this.chart = null;
    }

    one(selector) {
        return this.element.querySelector(selector);
    }

    // Colours are asked of the page each time, so that a theme chosen later is followed.
    colourOf(line) {
        return getComputedStyle(this.one(`.hw-legend .hw-line-${line.number}`)).color;
    }

    get colours() {
        const style = getComputedStyle(this.canvas);
        return {
            text: style.color,
            hairline: style.borderTopColor,
            background: style.backgroundColor,
            loud: getComputedStyle(this.element).color,
            font: style.fontFamily,
        };
    }

    get isMarked() {
        return Boolean(this.data.marks?.length);
    }

    textOf(point, column) {
        return this.one("tbody").rows[point].cells[column + 1].textContent;
    }

    labelOf(point) {
        return this.one("tbody").rows[point].cells[0].textContent;
    }

    nameOf(column) {
        return this.one("thead").rows[0].cells[column + 1].textContent;
    }

    spanOf([begin, end]) {
        return begin === end ? this.labelOf(begin) : `${this.labelOf(begin)} – ${this.labelOf(end)}`;
    }

    tell(text) {
        this.one("[role='status']").textContent = text;
    }

    // Loads what draws, and draws; from then on the tools are of use. `before` is the graph of which this is the latest.
    async start(before = null) {
        const { chart, annotation } = this.element.dataset;
        // At once where that is possible, so that nothing flickers. Another one that a page may have is not ours.
        if (!isLoaded) {
            await import(chart);
            isLoaded = true;
        }
        if (this.isMarked) {
            if (!window["chartjs-plugin-annotation"]) {
                await import(annotation);
            }
            window.Chart.register(window["chartjs-plugin-annotation"]);
        }
        if (!this.element.isConnected) {
            return;
        }
        this.isStill = before !== null;
        this.zoom.follow(before?.zoom);
        this.draw();
        this.isStill = false;
        if (before?.left !== undefined) {
            this.markPoint(Math.min(before.left, this.zoom.last));
        }
        this.element.querySelectorAll(".hw-styles, .hw-files, [data-does='log']").forEach((tool) => {
            tool.hidden = false;
        });
        this.element.addEventListener("click", (event) => this.onClick(event));
        this.element.addEventListener("keydown", (event) => this.onKey(event));
        this.canvas.addEventListener("focusout", () => this.hidePoint());
        this.zoom.listen();
        this.zoom.showTools();
    }

    draw() {
        this.chart?.destroy();
        // A graph without marks is not looked at by the plugin, which another one may load later.
        const annotation = this.isMarked && marks(this);
        const still = this.isStill || matchMedia("(prefers-reduced-motion: reduce)").matches;
        this.chart = new window.Chart(this.canvas, {
            type: this.style === "bar" ? "bar" : "line",
            data: { labels: this.data.ticks, datasets: datasets(this) },
            plugins: [this.zoom.plugin],
            options: {
                responsive: true,
                maintainAspectRatio: false,
                animation: still ? false : { duration: 250 },
                interaction: { mode: "index", intersect: false },
                plugins: { legend: { display: false }, tooltip: this.tooltip(), annotation },
                scales: scales(this),
            },
        });
        this.showState();
    }

    tooltip() {
        const { loud, hairline, background, font: family } = this.colours;
        return {
            filter: (item) => item.dataset.column !== undefined,
            backgroundColor: background,
            titleColor: loud,
            bodyColor: loud,
            footerColor: loud,
            titleFont: { family },
            bodyFont: { family },
            footerFont: { family, weight: "normal", style: "italic" },
            borderColor: hairline,
            borderWidth: 1,
            padding: 10,
            boxPadding: 4,
            callbacks: {
                labelColor: (item) => swatch(item.dataset.borderColor),
                title: (items) => (items.length ? this.labelOf(items[0].dataIndex) : ""),
                label: ({ dataset, dataIndex }) => ` ${dataset.label}: ${this.textOf(dataIndex, dataset.column)}`,
                footer: (items) => (items.length ? markedAt(this.data, items[0].dataIndex) : []),
            },
        };
    }

    // What the tools, the legend and the notes say is what is drawn.
    showState() {
        const stacked = isStacked(this);
        const [style, log] = [this.style, this.log];
        const pressed = { style: (button) => button.value === style, log: () => log };
        this.element.querySelectorAll("[aria-pressed]").forEach((button) => {
            button.setAttribute("aria-pressed", String(pressed[button.dataset.does](button)));
        });
        this.element.querySelectorAll("[data-when]").forEach((note) => {
            note.hidden = !(note.dataset.when === style || (log && note.dataset.when === "log"));
        });
        const items = this.element.querySelectorAll(".hw-legend li");
        this.data.lines.forEach((line, at) => {
            items[at].hidden = Boolean(line.other) && !stacked;
        });
    }

    destroy() {
        this.left ??= this.activePoint;
        this.chart?.destroy();
        this.chart = null;
    }

    onClick(event) {
        const tool = event.target.closest("[data-does]");
        const acts = {
            style: () => this.choose({ style: tool.value }),
            log: () => this.choose({ log: !this.log }),
            whole: () => this.zoom.out(),
            png: () => picture(this).toBlob((blob) => save(blob, this.element.dataset.name, "png")),
            csv: () => save(new Blob([sheet(this)], { type: "text/csv" }), this.element.dataset.name, "csv"),
        };
        if (tool && this.chart) {
            event.preventDefault();
            acts[tool.dataset.does]();
        }
    }

    // A page that keeps its state in its address hears of what was chosen.
    choose(chosen) {
        Object.assign(this, chosen);
        this.draw();
        const detail = { s: this.style === "line" ? "" : this.style, log: this.log ? "1" : "" };
        this.element.dispatchEvent(new CustomEvent("hw:chosen", { bubbles: true, detail }));
    }

    get activePoint() {
        return this.chart?.getActiveElements()[0]?.index;
    }

    get drawn() {
        return this.chart.data.datasets.filter((one) => one.column !== undefined);
    }

    markPoint(point) {
        const active = this.drawn.map((_, datasetIndex) => ({ datasetIndex, index: point }));
        this.chart.setActiveElements(active);
        this.chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
        this.chart.update("none");
    }

    // Arrow keys go from point to point; what stands there is told.
    showPoint(point) {
        this.markPoint(point);
        const { drawn } = this;
        const values = drawn.map((one) => `${one.label} ${this.textOf(point, one.column)}`);
        this.tell([`${this.labelOf(point)}: ${values.join(", ")}`, ...markedAt(this.data, point)].join("; "));
    }

    hidePoint() {
        if (this.activePoint !== undefined) {
            this.chart.setActiveElements([]);
            this.chart.tooltip.setActiveElements([], { x: 0, y: 0 });
            this.chart.update("none");
            this.tell("");
        }
    }

    onKey(event) {
        if (event.target !== this.canvas || !this.chart || this.zoom.onKey(event)) {
            return;
        }
        const [first, last] = this.zoom.span;
        const at = this.activePoint;
        const point = {
            ArrowRight: at === undefined ? first : Math.min(at + 1, last),
            ArrowLeft: at === undefined ? last : Math.max(at - 1, first),
            Home: first,
            End: last,
        }[event.key];
        if (point !== undefined) {
            event.preventDefault();
            this.showPoint(point);
        } else if (event.key === "Escape" && at !== undefined) {
            event.preventDefault();
            this.hidePoint();
        }
    }

    // The line of this number stands out, or will when it is drawn; with null all are as they were.
    standOut(number) {
        this.standing = number;
        const fresh = this.chart ? datasets(this) : [];
        fresh.forEach((dataset, at) => Object.assign(this.chart.data.datasets[at], dataset));
        this.chart?.update("none");
    }
}

// Calls back when the page turns dark or light.
export function onTheme(draw) {
    new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

function swatch(colour) {
    return { borderColor: colour, backgroundColor: colour };
}
