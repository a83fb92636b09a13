// A dashboard without waiting for whole pages: links fetch the page and put its panels in place, time goes on by itself,
// keys choose. All of it works without this file, too.

import { Graph, onTheme } from "./graph.js";

const MOST_SECONDS_AWAY = 60;

let graphs = [];
let latest = 0;
let timer = 0;
let failures = 0;

const board = () => document.getElementById("hw-board");
const tell = (name) => {
    const status = board().querySelector("[data-status]");
    status.textContent = name ? status.dataset[name] : "";
};

// GRAPHS

function panelOf(element) {
    return element.closest("[data-panel]")?.dataset.panel;
}

// Whoever looks at a part of a graph goes on to, while its numbers are renewed.
function drawAll() {
    const before = new Map(graphs.map((graph) => [panelOf(graph.element) ?? graph.panel, graph]));
    graphs.forEach((graph) => graph.destroy());
    graphs = [...board().querySelectorAll(".hw-graph")].map((element) => {
        const graph = new Graph(element);
        graph.panel = panelOf(element);
        const known = before.get(graph.panel);
        if (known?.zoom.shown && known.data.ticks.length === graph.data.ticks.length) {
            graph.zoom.shown = known.zoom.shown;
        }
        void graph.start();
        return graph;
    });
}

// Style and scale are drawn at once; the address says them, too.
function onChosen(event) {
    const key = panelOf(event.target);
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(event.detail)) {
        const given = name === "s" && !value ? "line" : value;
        given ? url.searchParams.set(name + key, given) : url.searchParams.delete(name + key);
    }
    history.replaceState(null, "", url);
    void renew({ quiet: true });
}

// FETCHING

function isOpen() {
    const open = "details.hw-menu[open], .hw-save input:focus, .hw-dates input:focus, .hw-shows textarea:focus";
    const written = [...board().querySelectorAll(".hw-shows textarea")].some((one) => one.value !== one.defaultValue);
    return written || board().querySelector(open) !== null;
}

function focusPath() {
    const focused = document.activeElement;
    if (!board().contains(focused) || focused === board()) {
        return null;
    }
    const panel = focused.closest("[data-panel]")?.id;
    return { id: focused.id, panel, href: focused.getAttribute("href"), text: focused.textContent };
}

function refocus(path) {
    if (!path) {
        return;
    }
    const within = (path.panel && document.getElementById(path.panel)) || board();
    const same = [...within.querySelectorAll("a, button, summary, input")];
    const found =
        (path.id && document.getElementById(path.id)) ||
        same.find((one) => path.href && one.getAttribute("href") === path.href) ||
        same.find((one) => one.textContent === path.text) ||
        same[0];
    found?.focus({ preventScroll: true });
}

// What is folded out stays so.
function unfolded() {
    return [...board().querySelectorAll("[data-panel] details[open]:not(.hw-menu)")].map((one) => {
        const panel = one.closest("[data-panel]");
        return [panel.id, [...panel.querySelectorAll("details")].indexOf(one)];
    });
}

function place(found) {
    const [focused, open] = [focusPath(), unfolded()];
    const scrolled = [...board().querySelectorAll("[data-panel] .hw-scroll")].map((one) => [
        one.closest("[data-panel]").id,
        one.scrollLeft,
        one.scrollTop,
    ]);
    board().replaceWith(document.adoptNode(found));
    open.forEach(([id, at]) => document.getElementById(id)?.querySelectorAll("details")[at]?.setAttribute("open", ""));
    scrolled.forEach(([id, left, top]) => {
        document.getElementById(id)?.querySelector(".hw-scroll")?.scrollTo(left, top);
    });
    refocus(focused);
    drawAll();
    showLive();
}

// Fetches an address and puts its dashboard in place. `quiet`: the same one anew, of which nothing is said.
async function renew({ address = location.href, quiet = false, push = false } = {}) {
    const mine = ++latest;
    clearTimeout(timer);
    if (!quiet) {
        board().setAttribute("aria-busy", "true");
        tell("loading");
    }
    try {
        const answer = await fetch(address, { credentials: "same-origin", redirect: "follow" });
        const text = await answer.text();
        if (mine !== latest) {
            return;
        }
        const found = new DOMParser().parseFromString(text, "text/html").getElementById("hw-board");
        if (!found || new URL(answer.url).pathname !== location.pathname) {
            // Another page, as to log in again: to be seen as a whole.
            location.assign(address);
            return;
        }
        failures = answer.ok ? 0 : failures + 1;
        if (quiet && isOpen()) {
            return;
        }
        if (push) {
            history.pushState(null, "", address);
        }
        place(found);
        if (!quiet) {
            tell("loaded");
        }
    } catch {
        failures += 1;
        if (mine === latest) {
            board().removeAttribute("aria-busy");
            board().setAttribute("data-away", "");
            tell("failed");
        }
    } finally {
        if (mine === latest) {
            schedule();
        }
    }
}

// LIVE

const PAUSED = "hailwhale paused";

function isLive() {
    return Number(board().dataset.live) > 0 && sessionStorage.getItem(PAUSED) === null;
}

function showLive() {
    const button = board().querySelector("[data-live-button]");
    if (button) {
        button.hidden = false;
        button.setAttribute("aria-pressed", String(isLive()));
    }
}

function schedule() {
    clearTimeout(timer);
    if (!isLive()) {
        return;
    }
    const seconds = Math.min(Number(board().dataset.live) * 2 ** Math.min(failures, 3), MOST_SECONDS_AWAY);
    timer = setTimeout(() => (document.hidden || isOpen() ? schedule() : renew({ quiet: true })), seconds * 1000);
}

function onLive() {
    isLive() ? sessionStorage.setItem(PAUSED, "1") : sessionStorage.removeItem(PAUSED);
    showLive();
    isLive() ? void renew({ quiet: true }) : clearTimeout(timer);
}

// GESTURES

function go(address) {
    void renew({ address: new URL(address, location.href).href, push: true });
}

function closeMenus(except = null) {
    document.querySelectorAll("details.hw-menu[open]").forEach((menu) => menu !== except && (menu.open = false));
}

function onClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    closeMenus(target?.closest("details.hw-menu"));
    if (target?.closest("[data-live-button]")) {
        onLive();
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

// Escape closes what is open, else takes filters away; letters choose as the menus say.
function onKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) {
        return;
    }
    const open = document.querySelector("details.hw-menu[open]");
    if (event.key === "Escape") {
        if (open) {
            open.open = false;
            open.querySelector("summary").focus();
        } else if (!graphs.some((graph) => graph.zoom.shown)) {
            board().querySelector("a[data-escape]")?.click();
        }
        return;
    }
    if (isTyping(event.target) || event.key.length !== 1 || event.shiftKey) {
        return;
    }
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
    drawAll();
    showLive();
    schedule();
    document.addEventListener("click", onClick);
    document.addEventListener("submit", onSubmit);
    document.addEventListener("keydown", onKey);
    document.addEventListener("hw:chosen", onChosen);
    document.addEventListener("visibilitychange", () => !document.hidden && isLive() && renew({ quiet: true }));
    window.addEventListener("popstate", () => renew());
    onTheme(() => graphs.forEach((graph) => graph.chart && graph.draw()));
}

start();
