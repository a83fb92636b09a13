// A dashboard without waiting for whole pages: links fetch the page and put in place what is new of it, time goes on by
// itself, keys choose. All of it works without this file, too.

import { exchange } from "./dashboard-exchange.js";
import { Graph, onTheme } from "./graph.js";

const MOST_SECONDS_AWAY = 60;
const MOST_SECONDS_ASKED = 30;
const SECONDS_AWAY = 10;

const graphs = new Map();
// What the server sent of each part, which scripts and readers change afterwards.
const sent = new WeakMap();

let latest = 0;
let timer = 0;
let failures = 0;
let isBusy = false;

const board = () => document.getElementById("hw-board");
const partsOf = (one) => [...one.querySelectorAll("[data-part], [data-panel]")];
// Each form has a token of its own, in each answer another one.
const asSent = (part) => part.outerHTML.replaceAll(/(name="csrfmiddlewaretoken" value=")[^"]*/g, "$1");

// Read aloud; what went wrong is seen, too.
function tell(name) {
    const status = board().querySelector("[data-status]");
    status.textContent = name ? status.dataset[name] : "";
    status.className = name === "failed" ? "errornote" : "visually-hidden";
}

// GRAPHS

// Whoever looks at a part of a graph goes on to, while its numbers are renewed.
function draw(panel) {
    const element = panel.querySelector(".hw-graph");
    const before = graphs.get(panel.id);
    before?.destroy();
    graphs.delete(panel.id);
    if (element) {
        const graph = new Graph(element);
        graphs.set(panel.id, graph);
        void graph.start(before);
    }
}

// Style and scale are drawn at once; the address says them, too.
function onChosen(event) {
    const key = event.target.closest("[data-panel]").dataset.panel;
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(event.detail)) {
        const given = name === "s" && !value ? "line" : value;
        given ? url.searchParams.set(name + key, given) : url.searchParams.delete(name + key);
    }
    history.replaceState(null, "", url);
    void renew({ quiet: true });
}

// What somebody is busy with waits until they are done.
function isHeld(part) {
    const graph = graphs.get(part.id);
    const selection = getSelection();
    const written = [...part.querySelectorAll(".hw-shows textarea")];
    return (
        part.querySelector("details.hw-menu[open], input:focus, .hw-shows textarea:focus") !== null ||
        written.some((one) => one.value !== one.defaultValue) ||
        Boolean(graph?.zoom.pressed || graph?.zoom.selected) ||
        (!selection.isCollapsed && selection.containsNode(part, true))
    );
}

// FETCHING

// What is the same stays untouched. While the store is away, what was read before is still there to be seen.
function place(found, { quiet }) {
    const now = board();
    const isAway = "away" in found.dataset;
    now.dataset.live = found.dataset.live;
    now.toggleAttribute("data-away", isAway);
    partsOf(found).forEach((part) => sent.set(part, asSent(part)));
    const ids = (one) => partsOf(one).map((part) => part.id).join();
    if (ids(now) !== ids(found) && !(isAway && quiet)) {
        exchange(now.querySelector(".hw-grid"), document.adoptNode(found.querySelector(".hw-grid")));
        forget();
        now.querySelectorAll("[data-panel]").forEach(draw);
    }
    for (const fresh of partsOf(found)) {
        const part = document.getElementById(fresh.id);
        if (part && sent.get(part) !== sent.get(fresh) && !(quiet && isHeld(part))) {
            // Before it loses the focus, and with that the point where the reader is.
            graphs.get(part.id)?.destroy();
            exchange(part, document.adoptNode(fresh));
            "panel" in fresh.dataset && draw(fresh);
        }
    }
    showTools();
}

function forget() {
    for (const [id, graph] of graphs) {
        if (!graph.element.isConnected) {
            graph.destroy();
            graphs.delete(id);
        }
    }
}

// The dashboard at an address, or null: another page is there, to be seen as a whole, as to log in again.
async function fetched(address) {
    const signal = AbortSignal.timeout(MOST_SECONDS_ASKED * 1000);
    const answer = await fetch(address, { credentials: "same-origin", redirect: "follow", signal });
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("hw-board");
    if (!found && answer.status >= 500) {
        throw new Error(answer.statusText);
    }
    const isHere = found && new URL(answer.url).pathname === location.pathname;
    return isHere ? { found, ok: answer.ok } : null;
}

// Fetches what the address says and puts it in place. `quiet`: the same anew, of which nothing is said.
async function renew({ quiet = false } = {}) {
    if (quiet && isBusy) {
        return;
    }
    const mine = ++latest;
    clearTimeout(timer);
    if (!quiet) {
        isBusy = true;
        board().setAttribute("aria-busy", "true");
        tell("loading");
    }
    try {
        const answer = await fetched(location.href);
        if (mine !== latest) {
            return;
        }
        if (answer === null) {
            location.reload();
            return;
        }
        failures = answer.ok ? 0 : failures + 1;
        place(answer.found, { quiet });
        tell(quiet ? "" : "loaded");
    } catch {
        if (mine === latest) {
            failures += 1;
            board().setAttribute("data-away", "");
            tell("failed");
        }
    } finally {
        if (mine === latest) {
            isBusy = false;
            board().removeAttribute("aria-busy");
            schedule();
        }
    }
}

// LIVE

const PAUSED = "hailwhale paused";

function isLive() {
    return Number(board().dataset.live) > 0 && sessionStorage.getItem(PAUSED) === null;
}

// What is of no use without this file.
function showTools() {
    const pressed = { "[data-live-button]": isLive(), "[data-keys-button]": hasKeys() };
    for (const [selector, is] of Object.entries(pressed)) {
        board().querySelectorAll(selector).forEach((button) => {
            button.hidden = false;
            button.setAttribute("aria-pressed", String(is));
        });
    }
}

// What could not be read is asked for again, whether the period goes on or not.
function schedule() {
    clearTimeout(timer);
    if (!isLive() && !failures) {
        return;
    }
    const every = Number(board().dataset.live) || SECONDS_AWAY;
    const seconds = Math.min(every * 2 ** Math.min(failures, 3), MOST_SECONDS_AWAY);
    timer = setTimeout(() => (document.hidden ? schedule() : renew({ quiet: true })), seconds * 1000);
}

function onLive() {
    isLive() ? sessionStorage.setItem(PAUSED, "1") : sessionStorage.removeItem(PAUSED);
    showTools();
    isLive() ? void renew({ quiet: true }) : clearTimeout(timer);
}

// GESTURES

function go(address) {
    if (new URL(address, location.href).href !== location.href) {
        history.pushState(null, "", address);
    }
    void renew();
}

// Single letters are in the way of those who speak to their computer: they can be turned off (WCAG 2.2, 2.1.4).
const KEYS_OFF = "hailwhale keys off";

function hasKeys() {
    return localStorage.getItem(KEYS_OFF) === null;
}

function onKeys() {
    hasKeys() ? localStorage.setItem(KEYS_OFF, "1") : localStorage.removeItem(KEYS_OFF);
    showTools();
}

function closeMenu(menu) {
    const hadFocus = menu.contains(document.activeElement);
    menu.open = false;
    if (hadFocus) {
        menu.querySelector("summary").focus({ preventScroll: true });
    }
}

function closeMenus(except = null) {
    document.querySelectorAll("details.hw-menu[open]").forEach((menu) => menu !== except && closeMenu(menu));
}

function onFocus(event) {
    document.querySelectorAll("details.hw-menu[open]").forEach((menu) => {
        menu.open = menu.contains(event.target);
    });
}

function onClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    closeMenus(target?.closest("details.hw-menu"));
    if (target?.closest("[data-live-button]")) {
        onLive();
        return;
    }
    if (target?.closest("[data-keys-button]")) {
        onKeys();
        return;
    }
    const link = target?.closest("a[href^='?']");
    const plain = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (link && board().contains(link) && !plain && !link.hasAttribute("download") && !("plain" in link.dataset)) {
        event.preventDefault();
        closeMenus();
        go(link.getAttribute("href"));
    }
}

function onSubmit(event) {
    const form = event.target;
    if (form.matches(".hw-dates, .hw-shows")) {
        event.preventDefault();
        closeMenus();
        go(`?${new URLSearchParams(new FormData(form))}`);
    }
}

function isTyping(target) {
    return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}

// Escape closes what is open, else shows all of a graph, else takes filters away; letters choose as the menus say.
function onKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) {
        return;
    }
    if (event.key === "Escape") {
        onEscape();
    } else if (!isTyping(event.target) && event.key.length === 1 && !event.shiftKey && hasKeys()) {
        onLetter(event);
    }
}

function onEscape() {
    const zoomed = [...graphs.values()].filter((graph) => graph.zoom.shown);
    if (document.querySelector("details.hw-menu[open]")) {
        closeMenus();
    } else if (zoomed.length) {
        zoomed.forEach((graph) => graph.zoom.out());
    } else {
        board().querySelector("a[data-escape]")?.click();
    }
}

function onLetter(event) {
    const key = event.key.toLowerCase();
    const dates = board().querySelector("[data-dates]");
    if (key === "c" && dates) {
        event.preventDefault();
        dates.closest("details").open = true;
        dates.focus();
        return;
    }
    const found = board().querySelector(`a[data-key="${CSS.escape(key)}"]`);
    if (found) {
        event.preventDefault();
        found.click();
    }
}

function start() {
    failures = "away" in board().dataset ? 1 : 0;
    partsOf(board()).forEach((part) => sent.set(part, asSent(part)));
    board().querySelectorAll("[data-panel]").forEach(draw);
    showTools();
    schedule();
    document.addEventListener("click", onClick);
    document.addEventListener("submit", onSubmit);
    document.addEventListener("keydown", onKey);
    document.addEventListener("focusin", onFocus);
    document.addEventListener("hw:chosen", onChosen);
    document.addEventListener("visibilitychange", () => !document.hidden && isLive() && renew({ quiet: true }));
    window.addEventListener("popstate", () => renew());
    onTheme(() => graphs.forEach((graph) => graph.chart && graph.draw()));
}

start();
