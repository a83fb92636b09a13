// Draws tables of numbers as graphs: <table data-hailwhale>, or those that table_graph.js?table=SELECTOR names. The first
// column says when, each other one is a line. The table stays, folded below its graph. See docs/embedding.md.
(() => {
    const asked = new URL(document.currentScript.src).searchParams;
    const COLOURS = ["#2f7fd1", "#d2600f", "#17916b", "#a55cc6", "#9a7400", "#d6437c", "#0e8fa8", "#78848f"];
    const [HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [260, 64, 12, 10, 26];
    const [NARROWEST, USUAL] = [280, 720];
    const STEPS = [1, 2, 2.5, 5, 10];
    const TICKS = 4;

    function element(name, attributes = {}, text = "") {
        const found = document.createElementNS("http://www.w3.org/2000/svg", name);
        Object.entries(attributes).forEach(([key, value]) => found.setAttribute(key, value));
        found.textContent = text;
        return found;
    }

    // READING

    function languageOf(table) {
        const language = table.closest("[lang]")?.lang;
        try {
            return Intl.getCanonicalLocales(language)[0];
        } catch {
            return undefined;
        }
    }

    // A number as the page's language writes it, with whatever stands around it; or what data-value says.
    function reader(language) {
        const decimal = new Intl.NumberFormat(language).formatToParts(1.5).find(({ type }) => type === "decimal").value;
        return (cell) => {
            const text = cell?.dataset.value ?? cell?.textContent.replace("−", "-") ?? "";
            const digits = cell?.dataset.value ?? [...text].filter((one) => /[-\d]/.test(one) || one === decimal).join("");
            const number = parseFloat(digits.replace(decimal, "."));
            return Number.isFinite(number) ? number : null;
        };
    }

    function read(table) {
        const number = reader(languageOf(table));
        const heads = [...(table.tHead?.rows[0]?.cells ?? [])].map((cell) => cell.textContent.trim());
        const rows = [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => row.cells.length > 1);
        const columns = Math.max(0, ...rows.map((row) => row.cells.length));
        const lines = [];
        for (let at = 1; at < columns && lines.length < COLOURS.length; at += 1) {
            const points = rows.map((row) => number(row.cells[at]));
            if (points.some((value) => value !== null)) {
                lines.push({ name: heads[at] ?? "", points });
            }
        }
        return { labels: rows.map((row) => row.cells[0].textContent.trim()), lines };
    }

    // DRAWING

    function scale(lines) {
        const values = lines.flatMap(({ points }) => points).filter((value) => value !== null);
        const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
        const rough = (high - low || 1) / TICKS;
        const power = 10 ** Math.floor(Math.log10(rough));
        const step = power * STEPS.find((one) => one * power >= rough * 0.999);
        return { step, low: Math.floor(low / step) * step, high: Math.ceil(high / step) * step || step };
    }

    function draw({ labels, lines }, title, language, width) {
        const { step, low, high } = scale(lines);
        const x = (at) => LEFT + ((width - LEFT - RIGHT) * at) / Math.max(labels.length - 1, 1);
        const y = (value) => TOP + ((HEIGHT - TOP - BOTTOM) * (high - value)) / (high - low);
        const svg = element("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width: "100%", role: "img", "aria-label": title });
        const words = { fill: "currentColor", "font-size": 12 };
        const format = new Intl.NumberFormat(language, { notation: "compact", maximumSignificantDigits: 3 });
        for (let at = 0; at <= Math.round((high - low) / step); at += 1) {
            const value = low + at * step;
            const line = { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), stroke: "currentColor" };
            svg.append(element("line", { ...line, "stroke-opacity": Math.abs(value) < step / 2 ? 0.5 : 0.15 }));
            svg.append(element("text", { ...words, x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, format.format(value)));
        }
        const last = labels.length - 1;
        [...new Set([0, Math.round(last / 2), last])].forEach((at) => {
            const anchor = at === 0 ? "start" : at === last ? "end" : "middle";
            svg.append(element("text", { ...words, x: x(at), y: HEIGHT - 6, "text-anchor": anchor }, labels[at]));
        });
        lines.forEach(({ name, points }, number) => svg.append(...marks(name, points, number, { x, y, labels })));
        return svg;
    }

    // A line breaks where there is no number; a point says what it is.
    function marks(name, points, number, { x, y, labels }) {
        const colour = COLOURS[number];
        const path = points.map((value, at) => {
            const begins = at === 0 || points[at - 1] === null;
            return value === null ? "" : `${begins ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
        });
        const dashes = number ? { "stroke-dasharray": `${2 + 3 * number} 3` } : {};
        const stroke = { fill: "none", stroke: colour, "stroke-width": 2, "stroke-linejoin": "round" };
        const dots = points.map((value, at) => {
            const dot = element("circle", { cx: x(at), cy: y(value ?? 0), r: points.length > 60 ? 1 : 3, fill: colour });
            dot.append(element("title", {}, `${labels[at]}: ${name} ${value}`.trim()));
            return value === null ? null : dot;
        });
        return [element("path", { ...stroke, ...dashes, d: path.join("") }), ...dots.filter(Boolean)];
    }

    function legend(lines) {
        const found = document.createElement("p");
        lines.forEach(({ name }, number) => {
            const swatch = element("svg", { width: 12, height: 12, "aria-hidden": "true" });
            swatch.append(element("rect", { width: 12, height: 12, rx: 2, fill: COLOURS[number] }));
            found.append(swatch, ` ${name}\u2003`);
        });
        return found;
    }

    function put(table) {
        const found = read(table);
        if (table.closest("figure.hailwhale-table") || !found.lines.length) {
            return;
        }
        const figure = document.createElement("figure");
        figure.className = "hailwhale-table";
        const title = table.caption?.textContent.trim() || table.dataset.hwName || found.lines.map(({ name }) => name).join(", ");
        const details = document.createElement("details");
        const summary = document.createElement("summary");
        summary.textContent = table.caption?.textContent.trim() || table.dataset.numbers || "Numbers";
        table.replaceWith(figure);
        details.append(summary, table);
        const width = Math.max(figure.clientWidth || USUAL, NARROWEST);
        const graph = draw(found, title, languageOf(table), width);
        figure.append(...(found.lines.length > 1 ? [legend(found.lines)] : []), graph, details);
    }

    function start() {
        try {
            document.querySelectorAll(asked.get("table") || "table[data-hailwhale], table[data-hw-pk]").forEach(put);
        } catch {
            // What was asked for is no selector: the tables stay as they are.
        }
    }

    const delay = Math.min(Number(asked.get("delay")) || 0, 60000);
    const later = () => (delay > 0 ? setTimeout(start, delay) : start());
    document.readyState === "loading" ? addEventListener("DOMContentLoaded", later) : later();
})();
