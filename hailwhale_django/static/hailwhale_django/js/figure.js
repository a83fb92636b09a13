// Graphs, each drawn from its table. Without this file, or without JavaScript, that is shown.

import { Graph, onTheme } from "./graph.js";

const graphs = [...document.querySelectorAll("figure.hw-graph")].map((element) => new Graph(element));

graphs.forEach((graph) => void graph.start());
onTheme(() => graphs.forEach((graph) => graph.chart && graph.draw()));
