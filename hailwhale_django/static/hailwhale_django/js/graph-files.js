// A graph as a file: a picture that is understood alone, and a sheet of its numbers.

const MARGIN = 16;
const LINE_HEIGHT = 18;
const SWATCH = 20;
// Sharp on any screen, whichever it was made on.
const LEAST_SCALE = 2;
const BYTE_ORDER_MARK = "\ufeff";

// What a spreadsheet would take for the beginning of a formula.
const DANGEROUS = /^[=+\-@\t\r]/;

// The graph as it is seen, on the page's background, with its title, its time and its legend above.
export function picture(graph) {
    const { chart } = graph;
    const own = chart.options.devicePixelRatio;
    const scale = Math.max(devicePixelRatio, LEAST_SCALE);
    chart.options.devicePixelRatio = scale;
    chart.resize();
    const made = drawn(graph, scale);
    chart.options.devicePixelRatio = own;
    chart.resize();
    return made;
}

function drawn(graph, scale) {
    const { canvas, chart, colours } = graph;
    const width = canvas.clientWidth + 2 * MARGIN;
    const sheet = document.createElement("canvas");
    const context = sheet.getContext("2d");
    const font = (weight, size) => `${weight} ${size}px ${colours.font}`;
    context.font = font("normal", 13);
    const legend = placed(context, chart.data.datasets, width - 2 * MARGIN);
    const below = MARGIN + 2 * LINE_HEIGHT + 8;
    const head = below + (legend.at(-1).row + 1) * LINE_HEIGHT + 8;
    // Setting the size clears all that was set before.
    sheet.width = Math.round(width * scale);
    sheet.height = Math.round((head + canvas.clientHeight + MARGIN) * scale);
    context.scale(scale, scale);
    context.fillStyle = colours.background;
    context.fillRect(0, 0, width, sheet.height);
    context.textBaseline = "middle";
    const write = (text, line, weight, size, colour) => {
        context.font = font(weight, size);
        context.fillStyle = colour;
        context.fillText(text, MARGIN, MARGIN + (line + 0.5) * LINE_HEIGHT, width - 2 * MARGIN);
    };
    write(graph.element.dataset.name, 0, "bold", 15, colours.loud);
    write(graph.spanOf(graph.zoom.span), 1, "normal", 13, colours.text);
    context.fillStyle = colours.loud;
    legend.forEach((place) => drawEntry(context, place, below + (place.row + 0.5) * LINE_HEIGHT));
    context.drawImage(canvas, MARGIN, head, canvas.clientWidth, canvas.clientHeight);
    return sheet;
}

function drawEntry(context, { dataset, x, most }, y) {
    context.strokeStyle = dataset.borderColor;
    context.lineWidth = 3;
    context.setLineDash(dataset.borderDash ?? []);
    context.beginPath();
    context.moveTo(MARGIN + x, y);
    context.lineTo(MARGIN + x + SWATCH, y);
    context.stroke();
    context.fillText(dataset.label, MARGIN + x + SWATCH + 6, y, most);
}

// Places of the legend's entries, in as many rows as they need.
function placed(context, datasets, width) {
    let [x, row] = [0, 0];
    return datasets
        .filter((dataset) => dataset.column !== undefined)
        .map((dataset) => {
            const most = Math.min(context.measureText(dataset.label).width, width - SWATCH - 6);
            const needed = SWATCH + 6 + most;
            if (x > 0 && x + needed > width) {
                [x, row] = [0, row + 1];
            }
            const place = { dataset, x, row, most };
            x += needed + 18;
            return place;
        });
}

// Numbers as a program reads them, whatever is drawn or zoomed; (other) is there, too.
export function sheet(graph) {
    const { data } = graph;
    const { low, high, notes } = graph.element.dataset;
    const columns = data.lines.flatMap((line, at) => {
        const name = graph.nameOf(at);
        const bounds = line.low ? [[`${name}, ${low}`, line.low], [`${name}, ${high}`, line.high]] : [];
        return [[name, line.points], ...bounds];
    });
    const marked = data.marks?.length ? [notes] : [];
    const time = graph.one("thead").rows[0].cells[0].textContent;
    const head = [time, ...columns.map(([name]) => name), ...marked].map(safe);
    const rows = data.edges.map((edge, at) => [
        edge,
        ...columns.map(([, points]) => points[at] ?? ""),
        ...marked.map(() => safe(data.marks.filter(({ begin }) => begin === at).map(({ text }) => text).join("; "))),
    ]);
    return BYTE_ORDER_MARK + [head, ...rows].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

function safe(text) {
    return DANGEROUS.test(text) ? `'${text}` : text;
}

function quoted(value) {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function save(blob, name, kind) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "")}.${kind}`;
    link.click();
    // The browser has begun to read it by then, and keeps what it reads.
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
