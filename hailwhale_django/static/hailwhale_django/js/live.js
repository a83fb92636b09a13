// Shows events as they arrive. Rows of events that are known stay the same elements.

import { fetched, poll } from "./polling.js";

const table = document.getElementById("hw-events");
const body = table.tBodies[0];
const spied = document.getElementById("hw-spied");

const address = new URL(location.href);
address.searchParams.set("format", "json");

function element(name, text, ...children) {
    const made = document.createElement(name);
    made.append(...(text === null ? children : [text]));
    return made;
}

function cell(texts) {
    const made = element("td", null, ...texts.flatMap((text) => [element("bdi", text), " "]));
    made.className = "hw-said";
    return made;
}

function row(event) {
    const link = element(event.link ? "a" : "span", null, element("bdi", event.counter));
    if (event.link) {
        link.href = event.link;
    }
    const name = element("th", null, link);
    name.scope = "row";
    name.className = "hw-name";
    const age = element("td", "");
    age.className = "hw-age";
    const metrics = event.metrics.map(([metric, value]) => `${metric}\u00a0${value}`);
    const made = element("tr", null, age, name, cell(event.dimensions), cell(metrics), element("td", ""));
    made.dataset.id = event.id;
    made.className = "hw-new";
    return made;
}

function write(into, text) {
    if (into.textContent !== text) {
        into.textContent = text;
    }
}

function showEvents(events) {
    const known = new Map([...body.rows].map((one) => [one.dataset.id, one]));
    events.forEach((event, at) => {
        const shown = known.get(event.id) ?? row(event);
        known.delete(event.id);
        write(shown.cells[0], event.age);
        write(shown.cells[4], event.is_counted ? table.dataset.counted : table.dataset.waiting);
        if (body.rows[at] !== shown) {
            body.insertBefore(shown, body.rows[at] ?? null);
        }
    });
    known.forEach((gone) => gone.remove());
    document.getElementById("hw-none").hidden = events.length > 0;
}

function showSpied(texts) {
    if (texts.join("\n") !== [...spied.children].map((one) => one.textContent).join("\n")) {
        spied.replaceChildren(...texts.map((text) => element("li", null, element("code", text))));
    }
    document.getElementById("hw-unspied").hidden = texts.length > 0;
}

poll(async (isPaused) => {
    const found = await (await fetched(address, "application/json")).json();
    if (!isPaused()) {
        showEvents(found.events);
        showSpied(found.spied);
    }
});
