// What a graph draws: a dataset for each line, scales, and marks, as Chart.js takes them.

const FADED = 0.2;
const BORDER_WIDTH = 2;
const LONGEST_LABEL = 24;
const HATCH_PIXELS = 6;

export function isStacked({ data, style, log }) {
    return Boolean(data.stacks) && style !== "line" && !log;
}

// Of all lines those that are drawn: (other) only in a stack, which it makes whole. `column` is a line's in the table.
function drawn(graph) {
    const lines = graph.data.lines.map((line, column) => ({ ...line, column }));
    return lines.filter((line) => !line.other || isStacked(graph));
}

// Where one number is `standing` out, the others stand back.
export function datasets(graph) {
    const lines = drawn(graph);
    const alone = lines.filter((line) => !line.before).length === 1;
    const stacked = isStacked(graph);
    // What was before, and the whole of a stack, is drawn over it.
    const isOver = (line) => line.before || (line.whole && !alone && stacked);
    // Each part of a stack stands on the one before it.
    const below = (at) => lines.findLastIndex((line, index) => index < at && !isOver(line));
    const base = (line, at) => (stacked && !isOver(line) && below(at) >= 0 ? below(at) : graph.log ? "start" : "origin");
    return [
        ...lines.map((line, at) => dataset(graph, line, { alone, over: isOver(line), base: base(line, at) })),
        ...lines.filter((line) => line.low).flatMap((line) => band(graph, line)),
    ];
}

function dataset(graph, line, place) {
    const { style, log, data, standing } = graph;
    const faded = standing !== null && line.number !== standing;
    const own = graph.colourOf(line);
    const colour = faded ? withAlpha(own, FADED) : own;
    const points = log ? line.points.map((value) => (value > 0 ? value : null)) : line.points;
    const common = {
        column: line.column,
        label: graph.nameOf(line.column),
        data: points,
        stack: isStacked(graph) && !place.over ? "parts" : undefined,
    };
    if (style === "bar" && !place.over) {
        const compared = place.alone && data.lines.length > 1;
        const fill = compared ? withAlpha(colour, 0.6) : colour;
        return { ...common, ...bar(fill, data.unfinished, points.length), order: 1 };
    }
    const stands = standing !== null && !faded;
    return { ...common, ...curve(graph, line, { ...place, colour, points, stands }), order: 0 };
}

function curve(graph, line, { alone, over, base, colour, points, stands }) {
    const { unfinished } = graph.data;
    const last = points.length - 1;
    const stacked = isStacked(graph) && !over;
    const filled = stacked || (alone && !line.before && !line.low);
    const area = stacked ? 0.45 : graph.style === "area" ? 0.25 : 0.12;
    const isOpen = (part) => unfinished && part.p1DataIndex === last;
    return {
        type: "line",
        borderColor: line.before ? withAlpha(colour, 0.6) : colour,
        backgroundColor: withAlpha(colour, area),
        pointBackgroundColor: colour,
        borderWidth: (line.before || stacked ? 1.5 : BORDER_WIDTH) + (stands ? 1 : 0),
        borderDash: line.before ? [5, 4] : [],
        fill: filled ? base : false,
        pointRadius: radii(points),
        pointHoverRadius: 4,
        pointHitRadius: 8,
        cubicInterpolationMode: "monotone",
        // What is not over yet must not look like a fall.
        segment: {
            borderDash: (part) => (isOpen(part) ? [3, 3] : undefined),
            backgroundColor: (part) => (isOpen(part) ? withAlpha(colour, area / 2) : undefined),
        },
    };
}

function bar(colour, unfinished, length) {
    const fills = Array.from({ length }, (_, at) => (unfinished && at === length - 1 ? hatched(colour) : colour));
    return {
        type: "bar",
        backgroundColor: fills,
        borderColor: colour,
        borderWidth: 0,
        categoryPercentage: 0.84,
        barPercentage: 0.94,
        maxBarThickness: 56,
    };
}

// Where a line's values may be: two lines that are not seen, and what is between them.
function band(graph, line) {
    const area = withAlpha(graph.colourOf(line), 0.12);
    const edge = { borderWidth: 0, pointRadius: 0, pointHoverRadius: 0, cubicInterpolationMode: "monotone" };
    return [
        { ...edge, data: line.low, fill: false },
        { ...edge, data: line.high, fill: "-1", backgroundColor: area },
    ];
}

export function scales(graph) {
    const { text, hairline, font } = graph.colours;
    const numbers = new Intl.NumberFormat(document.documentElement.lang || undefined, {
        notation: "compact",
        maximumSignificantDigits: 4,
    });
    const written = { color: text, font: { family: font } };
    const [before, times, after] = graph.data.axis ?? ["", 1, ""];
    const ticks = { ...written, maxTicksLimit: 6, callback: (value) => before + numbers.format(value * times) + after };
    return {
        x: {
            ...graph.zoom.bounds,
            grid: { display: false },
            border: { color: hairline },
            ticks: { ...written, maxRotation: 0, autoSkip: true, autoSkipPadding: 20 },
        },
        y: {
            ...(graph.log ? { type: "logarithmic", afterBuildTicks: clearOnes } : { beginAtZero: true, grace: graph.isMarked ? "20%" : "5%" }),
            grid: { color: hairline },
            border: { display: false },
            ticks,
        },
    };
}

// Of a log scale's ticks powers of ten, and where these are few also twice and five times as much.
function clearOnes(scale) {
    const first = (value) => value / 10 ** Math.floor(Math.log10(value) + 1e-9);
    const begins = (...digits) => ({ value }) => digits.some((digit) => Math.abs(first(value) - digit) < 1e-6);
    const powers = scale.ticks.filter(begins(1));
    const clear = scale.ticks.filter(begins(1, 2, 5));
    scale.ticks = powers.length > 3 ? powers : clear;
}

// What is noted of a point.
export function markedAt(data, point) {
    const marks = data.marks ?? [];
    return marks.filter(({ begin, end }) => begin <= point && point <= (end ?? begin)).map(({ text }) => text);
}

// Marks as lines, or where they last as spans; labels take turns in height, as neighbours would hide each other.
export function marks(graph) {
    const { text, background, font } = graph.colours;
    const annotations = graph.data.marks.map((mark, at) => {
        const label = {
            display: true,
            content: short(mark.text),
            color: text,
            backgroundColor: withAlpha(background, 0.85),
            font: { family: font, size: 11, weight: "normal" },
            padding: { x: 4, y: 2 },
            yAdjust: (at % 3) * 18,
            drawTime: "afterDatasetsDraw",
        };
        if (mark.end === null) {
            const line = { type: "line", scaleID: "x", value: mark.begin, borderColor: text, borderWidth: 1 };
            return { ...line, borderDash: [2, 2], label: { ...label, position: "start" } };
        }
        const box = { type: "box", xMin: mark.begin - 0.5, xMax: mark.end + 0.5, borderWidth: 0 };
        const shade = { backgroundColor: withAlpha(text, 0.12), drawTime: "beforeDatasetsDraw" };
        // Near an edge a label in the middle would be cut off.
        const middle = (mark.begin + mark.end) / 2 / (graph.data.ticks.length - 1 || 1);
        const x = middle > 0.85 ? "end" : middle < 0.15 ? "start" : "center";
        // What is behind a span's label cannot be coloured; an edge around its letters can.
        const halo = { textStrokeColor: background, textStrokeWidth: 3 };
        return { ...box, ...shade, label: { ...label, ...halo, position: { x, y: "start" } } };
    });
    return { annotations: annotations.map((one) => ({ ...one, adjustScaleRange: false })) };
}

function short(text) {
    const signs = [...text];
    return signs.length > LONGEST_LABEL ? `${signs.slice(0, LONGEST_LABEL - 1).join("")}…` : text;
}

export function withAlpha(colour, alpha) {
    const [, space, parts] = colour.match(/^(\w+)\(([^)]*)\)$/) ?? [];
    if (!space?.startsWith("rgb")) {
        return colour;
    }
    const [red, green, blue, own = 1] = parts.split(/[\s,/]+/).map(Number);
    return `rgba(${red}, ${green}, ${blue}, ${own * alpha})`;
}

function hatched(colour) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = HATCH_PIXELS;
    const context = tile.getContext("2d");
    context.fillStyle = withAlpha(colour, 0.25);
    context.fillRect(0, 0, HATCH_PIXELS, HATCH_PIXELS);
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.beginPath();
    // From corner to corner, and the corners of the tiles beside it.
    for (const shift of [-HATCH_PIXELS, 0, HATCH_PIXELS]) {
        context.moveTo(shift - 1, HATCH_PIXELS + 1);
        context.lineTo(shift + HATCH_PIXELS + 1, -1);
    }
    context.stroke();
    return context.createPattern(tile, "repeat");
}

// A value between two gaps is no line; it is drawn as a dot.
function radii(points) {
    const gap = (at) => points[at] === null || points[at] === undefined;
    return points.map((value, at) => (value !== null && gap(at - 1) && gap(at + 1) ? 3 : 0));
}
