// A part of a graph: selected by drawing over it, or by Shift and the arrow keys; then shown alone.

import { withAlpha } from "./graph-lines.js";

// Less is a click.
const LEAST_PIXELS = 6;

export class Zoom {
    constructor(graph) {
        this.graph = graph;
        this.shown = null;
        this.selected = null;
        this.pressed = null;
        this.anchor = null;
    }

    get last() {
        return this.graph.data.ticks.length - 1;
    }

    // The first and the last point that can be seen.
    get span() {
        return this.shown ?? [0, this.last];
    }

    get bounds() {
        return this.shown ? { min: this.shown[0], max: this.shown[1] } : {};
    }

    // The same part as another graph shows, if this one has it.
    follow(before) {
        if (before?.shown) {
            const { edges } = before.graph.data;
            const found = before.shown.map((point) => this.graph.data.edges.indexOf(edges[point]));
            this.shown = found.includes(-1) ? null : found;
        }
    }

    // Draws where the reader is, and what is selected.
    get plugin() {
        return {
            id: "selection",
            afterDatasetsDraw: (chart) => {
                chart.ctx.save();
                chart.ctx.strokeStyle = this.graph.colours.text;
                chart.ctx.fillStyle = withAlpha(this.graph.colours.text, 0.18);
                if (this.selected) {
                    this.drawSelected(chart);
                } else if (this.graph.activePoint !== undefined && !chart.scales.x.options.offset) {
                    this.drawPlace(chart);
                }
                chart.ctx.restore();
            },
        };
    }

    drawSelected({ ctx, scales: { x }, chartArea: { top, bottom, left, right } }) {
        const half = x.options.offset ? (x.getPixelForValue(1) - x.getPixelForValue(0)) / 2 : 0;
        const [begin, end] = this.selected.map((point) => x.getPixelForValue(point));
        const [from, to] = [Math.max(begin - half, left), Math.min(end + half, right)];
        ctx.fillRect(from, top, to - from, bottom - top);
        ctx.strokeRect(from, top, Math.max(to - from, 1), bottom - top);
    }

    drawPlace({ ctx, scales: { x }, chartArea: { top, bottom } }) {
        const at = x.getPixelForValue(this.graph.activePoint);
        ctx.globalAlpha = 0.5;
        ctx.beginPath();
        ctx.moveTo(at, top);
        ctx.lineTo(at, bottom);
        ctx.stroke();
    }

    listen() {
        const { canvas } = this.graph;
        canvas.addEventListener("pointerdown", (event) => this.onDown(event));
        canvas.addEventListener("pointermove", (event) => this.onMove(event));
        canvas.addEventListener("pointerup", () => this.onUp());
        canvas.addEventListener("pointercancel", () => this.letGo());
        canvas.addEventListener("blur", () => this.letGo());
    }

    onDown(event) {
        const { left, right } = this.graph.chart.chartArea;
        if (event.isPrimary && event.button === 0 && event.offsetX >= left - LEAST_PIXELS && event.offsetX <= right) {
            this.pressed = { x: event.offsetX, point: this.pointAt(event.offsetX) };
            this.graph.canvas.setPointerCapture(event.pointerId);
        }
    }

    onMove(event) {
        if (this.pressed && (this.selected || Math.abs(event.offsetX - this.pressed.x) >= LEAST_PIXELS)) {
            this.select(this.pressed.point, this.pointAt(event.offsetX));
        }
    }

    onUp() {
        if (this.pressed && this.selected) {
            this.into();
        }
        this.pressed = null;
    }

    pointAt(pixel) {
        const [first, last] = this.span;
        return Math.min(Math.max(this.graph.chart.scales.x.getValueForPixel(pixel), first), last);
    }

    select(from, to) {
        this.selected = [Math.min(from, to), Math.max(from, to)];
        this.graph.chart.draw();
    }

    letGo() {
        this.pressed = null;
        if (this.selected) {
            this.selected = this.anchor = null;
            this.graph.chart?.draw();
        }
    }

    // Whether the key was for this.
    onKey(event) {
        if (event.shiftKey && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
            this.extend(event.key === "ArrowRight" ? 1 : -1);
        } else if (event.key === "Enter" && this.selected) {
            this.into();
        } else if (event.key === "Escape" && this.selected) {
            this.letGo();
            this.graph.hidePoint();
            this.graph.tell("");
        } else if (event.key === "Escape" && this.shown) {
            this.out();
        } else {
            // A step without Shift begins anew.
            if (event.key.startsWith("Arrow")) {
                this.letGo();
            }
            return false;
        }
        event.preventDefault();
        return true;
    }

    // From where the reader is, to the next point; the end that moves is the one that is told.
    extend(step) {
        const [first, last] = this.span;
        const at = this.graph.activePoint ?? (step > 0 ? first : last);
        this.anchor = this.selected && this.anchor !== null ? this.anchor : at;
        const to = Math.min(Math.max(at + step, first), last);
        this.graph.showPoint(to);
        this.select(this.anchor, to);
        this.tell("selected", this.selected);
    }

    // Two points at least: of one there would be no line to see.
    into() {
        const [begin, end] = this.selected;
        this.letGo();
        if (end > begin) {
            this.show([begin, end]);
            this.tell("zoomed", this.span);
        }
    }

    out() {
        this.show(null);
        this.graph.tell(this.graph.element.dataset.unzoomed);
    }

    show(span) {
        const { graph } = this;
        this.shown = span;
        graph.hidePoint();
        const { min, max } = this.bounds;
        Object.assign(graph.chart.options.scales.x, { min, max });
        graph.chart.update();
        this.showTools();
    }

    // The button that leads back, and the link to a page of this part alone, where that is one.
    showTools() {
        const tools = this.graph.one(".hw-zoomed");
        const hadFocus = tools.contains(document.activeElement);
        tools.hidden = !this.shown;
        if (hadFocus && tools.hidden) {
            this.graph.canvas.focus();
        }
        const link = tools.querySelector("a");
        if (link && this.shown) {
            const address = this.address(...this.shown);
            link.hidden = !address;
            link.href = address;
        }
    }

    // A period is made of dates. One date is read by the hour, as the page's own address of it would be.
    address(begin, end) {
        const { edges, ends } = this.graph.data;
        const [from, to] = [edges[begin].slice(0, 10), ends[end]];
        if (from === edges[0].slice(0, 10) && to === ends.at(-1)) {
            return "";
        }
        const { zoom } = this.graph.element.dataset;
        const whole = from === to ? zoom.replace("__FROM__..__TO__", from) : zoom;
        return whole.replace("__FROM__", from).replace("__TO__", to);
    }

    tell(what, span) {
        this.graph.tell(this.graph.element.dataset[what].replace("{span}", this.graph.spanOf(span)));
    }
}
