// A counter's page: the graph, and what saves a click. All else works without this file.

import { Graph, onTheme } from "./graph.js";
import { onPicked } from "./pickers.js";

let graph = null;
let standing = null;

// Anew, or when rows were ticked, with the part of the period that was looked at.
function draw() {
    const element = document.querySelector(".hw-graph");
    const [ticks, shown] = [graph?.data.ticks.length, graph?.zoom.shown];
    graph?.destroy();
    graph = element ? new Graph(element) : null;
    if (shown && graph?.data.ticks.length === ticks) {
        graph.zoom.shown = shown;
    }
    graph?.standOut(standing);
    void graph?.start();
}

// Style and scale are drawn at once. The address, and what leads from here, says them, too.
function onChosen(event) {
    const form = document.getElementById("hw-controls");
    for (const [name, value] of Object.entries(event.detail)) {
        form.querySelector(`input[name='${name}']`)?.remove();
        if (value) {
            form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
        }
    }
    const changed = (address) => {
        const url = new URL(address, location.href);
        Object.entries(event.detail).forEach(([name, value]) => {
            value ? url.searchParams.set(name, value) : url.searchParams.delete(name);
        });
        return url.pathname + url.search + url.hash;
    };
    history.replaceState(null, "", changed(location.href));
    document.querySelectorAll(".hw-page a[href*='?'], .breadcrumbs a[href*='?']").forEach((link) => {
        link.setAttribute("href", changed(link.getAttribute("href")));
    });
    const { dataset } = graph.element;
    dataset.zoom = changed(dataset.zoom);
    document.querySelector(".hw-graph [name='log']").value = event.detail.log ? "" : "1";
}

// Over a name in the legend or a row of the table, its line stands out.
function numberOf(element) {
    const marked = element.closest(".hw-legend li, .hw-ranked tbody tr");
    const holder = marked?.matches("li") ? marked : marked?.querySelector(".hw-tick");
    const found = holder?.className.match(/hw-line-([1-9])/);
    return found ? Number(found[1]) : null;
}

function onPointer(event) {
    const number = event.target instanceof Element ? numberOf(event.target) : null;
    if (number !== standing) {
        standing = number;
        graph?.standOut(number);
    }
}

function onChange(event) {
    const field = event.target;
    if (field.name === "rows" && field.form) {
        void redrawRows(field.form, field.id);
    } else {
        onPicked(event);
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
    document.addEventListener("pointerover", onPointer);
    document.addEventListener("hw:chosen", onChosen);
    onTheme(() => graph?.chart && graph.draw());
}

start();
