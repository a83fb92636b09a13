// The way from one number to another as bars below each other, part by part. Texts and places are the server's, colours
// the page's. A waterfall is an element with a canvas, a legend, and bars as JSON; the table behind it says the same.

import { withAlpha } from "./graph-lines.js";

const BAR_PIXELS = 30;
const AXIS_PIXELS = 34;
const BAR_PART = 0.72;
// A bar that does not begin at zero comes out of nothing.
const FADE_PIXELS = 48;
const LEAST_PIXELS = 2;
// Of the width, so much is at most for names.
const NAMES_PART = 0.36;
const MARGIN = 12;
// Numbers run from left to right in every language.
const [ISOLATE, POP] = ["\u2066", "\u2069"];

export class Waterfall {
    constructor(element) {
        this.element = element;
        this.canvas = element.querySelector("canvas");
        this.data = JSON.parse(element.querySelector("script[type='application/json']").textContent);
        this.chart = null;
    }

    get bars() {
        return this.data.bars;
    }

    get isRightToLeft() {
        return getComputedStyle(this.element).direction === "rtl";
    }

    // Colours are asked of the page each time, so that a theme chosen later is followed.
    get colours() {
        const style = getComputedStyle(this.canvas);
        const of = (tone) => getComputedStyle(this.element.querySelector(`.hw-tone-${tone} .hw-key`)).backgroundColor;
        return {
            text: style.color,
            hairline: style.borderTopColor,
            background: style.backgroundColor,
            loud: getComputedStyle(this.element).color,
            font: style.fontFamily,
            tones: { end: of("end"), good: of("good"), bad: of("bad"), "": style.color },
        };
    }

    async start() {
        await import(this.element.dataset.chart);
        if (this.element.isConnected && !this.chart) {
            this.canvas.parentElement.style.height = `${this.bars.length * BAR_PIXELS + AXIS_PIXELS}px`;
            this.draw();
        }
    }

    draw() {
        this.chart?.destroy();
        const { bars } = this;
        const colours = this.colours;
        const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
        this.chart = new window.Chart(this.canvas, {
            type: "bar",
            data: { labels: bars.map(({ name }) => name), datasets: [this.dataset(colours)] },
            plugins: [{ id: "steps", beforeDatasetsDraw: (chart) => this.joinBars(chart, colours) }],
            options: {
                indexAxis: "y",
                responsive: true,
                maintainAspectRatio: false,
                animation: still ? false : { duration: 250 },
                interaction: { mode: "index", axis: "y", intersect: false },
                plugins: { legend: { display: false }, tooltip: this.tooltip(colours) },
                scales: this.scales(colours),
                onClick: (_, [found]) => this.go(found),
                onHover: (_, [found]) => this.canvas.classList.toggle("hw-goes", Boolean(this.linkOf(found))),
            },
        });
    }

    dataset({ tones }) {
        const { base } = this.data;
        const colour = ({ dataIndex, chart }) => {
            const bar = this.bars[dataIndex];
            const own = tones[bar.tone];
            return bar.tone === "end" && base ? this.faded(chart, own) : own;
        };
        return {
            xAxisID: "value",
            yAxisID: "name",
            data: this.bars.map(({ begin, end }) => [begin, end]),
            backgroundColor: colour,
            borderWidth: 0,
            borderSkipped: false,
            minBarLength: LEAST_PIXELS,
            categoryPercentage: 1,
            barPercentage: BAR_PART,
        };
    }

    faded(chart, colour) {
        const { scales, ctx } = chart;
        const begin = scales.value?.getPixelForValue(this.data.base);
        if (!Number.isFinite(begin)) { // before anything has its place
            return colour;
        }
        const inward = this.bars[0].end > this.data.base === this.isRightToLeft ? -1 : 1;
        const gradient = ctx.createLinearGradient(begin, 0, begin + inward * FADE_PIXELS, 0);
        gradient.addColorStop(0, withAlpha(colour, 0.1));
        gradient.addColorStop(1, colour);
        return gradient;
    }

    // Where one bar ends the next begins.
    joinBars(chart, { text }) {
        const { ctx, scales } = chart;
        const half = (scales.name.getPixelForValue(1) - scales.name.getPixelForValue(0)) / 2 * BAR_PART;
        ctx.save();
        ctx.strokeStyle = withAlpha(text, 0.6);
        ctx.lineWidth = 1;
        ctx.beginPath();
        this.bars.slice(0, -1).forEach(({ end }, at) => {
            const x = Math.round(scales.value.getPixelForValue(end)) + 0.5;
            ctx.moveTo(x, scales.name.getPixelForValue(at) + half);
            ctx.lineTo(x, scales.name.getPixelForValue(at + 1) - half);
        });
        ctx.stroke();
        ctx.restore();
    }

    // Names stand where lines begin, and what the bars are worth where they end.
    scales({ text, loud, hairline, font }) {
        const { base, axis } = this.data;
        const [start, end] = this.isRightToLeft ? ["right", "left"] : ["left", "right"];
        const numbers = new Intl.NumberFormat(document.documentElement.lang || undefined, {
            notation: "compact",
            maximumSignificantDigits: 4,
        });
        const [before, times, after] = axis;
        const written = { color: text, font: { family: font } };
        const words = { ...written, color: loud, autoSkip: false };
        const plain = { grid: { display: false }, border: { display: false } };
        const rows = { ...plain, axis: "y", type: "category", offset: true };
        const most = ({ chart }) => chart.width * NAMES_PART - MARGIN;
        const edge = base ? { [base > 0 ? "min" : "max"]: base } : { beginAtZero: true };
        const { bars } = this;
        return {
            name: {
                ...rows,
                position: start,
                ticks: {
                    ...words,
                    callback(value) {
                        return short(bars[value].name, most(this), widthOf(this));
                    },
                },
                // Else an axis has no more than a quarter.
                afterFit: (scale) => {
                    scale.width = Math.max(...scale.ticks.map(({ label }) => label).map(widthOf(scale))) + MARGIN;
                },
            },
            worth: {
                ...rows,
                position: end,
                labels: bars.map((bar) => ISOLATE + bar.text + POP),
                ticks: { ...words, padding: 8 },
            },
            value: {
                ...edge,
                axis: "x",
                type: "linear",
                reverse: this.isRightToLeft,
                grid: { color: hairline },
                border: { display: false },
                ticks: {
                    ...written,
                    maxTicksLimit: 6,
                    maxRotation: 0,
                    callback: (value) => ISOLATE + before + numbers.format(value * times) + after + POP,
                },
            },
        };
    }

    tooltip({ loud, hairline, background, font: family }) {
        return {
            displayColors: false,
            backgroundColor: background,
            titleColor: loud,
            bodyColor: loud,
            titleFont: { family },
            bodyFont: { family },
            borderColor: hairline,
            borderWidth: 1,
            padding: 10,
            rtl: this.isRightToLeft,
            callbacks: {
                title: ([item]) => this.bars[item.dataIndex].name,
                label: ({ dataIndex }) => this.bars[dataIndex].text,
            },
        };
    }

    linkOf(found) {
        return found ? this.bars[found.index].link : "";
    }

    go(found) {
        if (this.linkOf(found)) {
            location.assign(this.linkOf(found));
        }
    }
}

// How wide a scale writes a text.
function widthOf({ ctx, options }) {
    return (text) => {
        ctx.font = window.Chart.helpers.toFont(options.ticks.font).string;
        return ctx.measureText(text).width;
    };
}

// As much of a name as has room.
function short(name, most, width) {
    const signs = [...name];
    const cut = (length) => (length < signs.length ? `${signs.slice(0, length).join("")}…` : name);
    let length = signs.length;
    while (length > 1 && width(cut(length)) > most) {
        length -= 1;
    }
    return cut(length);
}
