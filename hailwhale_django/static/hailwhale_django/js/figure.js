// Graphs on a project's own pages, each drawn from its table. Without this file, or without JavaScript, that is shown.

import { Graph, onTheme } from "./graph.js";

async function show(element) {
    await import(element.dataset.chart);
    const graph = new Graph(element);
    graph.draw();
    element.addEventListener("keydown", (event) => graph.onKey(event));
    element.addEventListener("focusout", (event) => graph.onLeave(event));
    onTheme(() => graph.draw());
}

document.querySelectorAll("figure.hw-graph[data-chart]").forEach(show);
