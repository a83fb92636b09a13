// Why a number changed: waterfalls, drawn when their dimension is opened. All else works without this file.

import { onTheme } from "./graph.js";
import { onPicked } from "./pickers.js";
import { Waterfall } from "./waterfall.js";

const waterfalls = [...document.querySelectorAll(".hw-waterfall")].map((element) => new Waterfall(element));

for (const one of waterfalls) {
    const dimension = one.element.closest("details");
    const start = () => dimension.open && !one.chart && void one.start();
    dimension.addEventListener("toggle", start);
    start();
}

document.addEventListener("change", onPicked);
onTheme(() => waterfalls.forEach((one) => one.chart && one.draw()));
