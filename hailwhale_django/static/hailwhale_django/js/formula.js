// Fields in which formulas are written: checked while one types, and metrics are completed. Without this file they are
// checked when they are sent.

import { Columns } from "./formula-columns.js";
import { expected } from "./formula-words.js";

const PAUSE = 250;
const MOST_SHOWN = 10;

const drafts = new WeakMap();
const vocabularies = new Map();
const answers = new Map();
let count = 0;

async function ask(address, signal) {
    const answer = await fetch(address, { credentials: "same-origin", signal });
    // Who is logged out is led to a page, which is no answer.
    return answer.ok && !answer.redirected ? answer.json() : null;
}

function element(name, properties, attributes = {}) {
    const made = Object.assign(document.createElement(name), properties);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    return made;
}

class Draft {
    constructor(field, settings) {
        // At once: to give the field its focus back looks for it again.
        drafts.set(field, this);
        this.field = field;
        this.settings = settings;
        this.isArea = field.matches("textarea");
        this.active = -1;
        this.place = null;
        const id = `hw-draft-${++count}`;
        this.list = element("ul", { id: `${id}-words`, className: "hw-words", hidden: true }, { role: "listbox" });
        this.list.setAttribute("aria-label", settings.label);
        this.said = element("div", { id: `${id}-said`, className: "hw-drafted" }, { "aria-live": "polite" });
        const focused = document.activeElement === field;
        const frame = element("div", { className: "hw-draft" });
        field.replaceWith(frame);
        frame.append(field, this.list, this.said);
        field.removeAttribute("list");
        field.setAttribute("autocomplete", "off");
        field.setAttribute("aria-autocomplete", "list");
        field.setAttribute("aria-controls", this.list.id);
        field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${this.said.id}`.trim());
        field.setAttribute("aria-haspopup", "listbox");
        // A field of several lines may not be called a combobox.
        if (!this.isArea) {
            field.setAttribute("role", "combobox");
            field.setAttribute("aria-expanded", "false");
        }
        if (focused) {
            field.focus();
        }
        field.addEventListener("input", () => this.onInput());
        field.addEventListener("keydown", (event) => this.onKey(event));
        field.addEventListener("click", () => this.close());
        field.addEventListener("blur", () => this.close());
        this.list.addEventListener("mousedown", (event) => event.preventDefault());
        this.list.addEventListener("click", (event) => {
            const at = [...this.list.children].indexOf(event.target.closest("[role=option]"));
            at >= 0 && this.take(at);
        });
    }

    get pk() {
        return this.settings.pk ?? this.field.form?.elements[this.settings.pkField]?.value.trim() ?? "";
    }

    address(base, given = {}) {
        const store = this.field.form?.elements[this.settings.storeField]?.value || this.settings.store || "";
        return `${base}?${new URLSearchParams({ pk: this.pk, store, ...given })}`;
    }

    onInput() {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.check(), PAUSE);
        void this.suggest();
    }

    // Completing

    async suggest(always = false) {
        const address = this.address(this.settings.words);
        if (this.pk && !vocabularies.has(address)) {
            vocabularies.set(address, ask(address).catch(() => null));
        }
        const words = await vocabularies.get(address);
        if (!words || document.activeElement !== this.field) {
            words ?? vocabularies.delete(address);
            return;
        }
        const place = expected(this.field, words, this.field.dataset.formula === "column");
        const shown = place.words.slice(0, MOST_SHOWN);
        const done = shown.length === 1 && shown[0].text === place.written;
        const wanted = always || place.awaited || (place.awaited === undefined && shown.length > 0);
        wanted && shown.length && !done && !this.taken ? this.open(place, shown) : this.close();
        this.taken = false;
    }

    open(place, shown) {
        this.place = place;
        this.active = -1;
        this.list.replaceChildren(
            ...shown.map(({ text, means }, at) => {
                const option = element("li", { id: `${this.list.id}-${at}` }, { role: "option", "aria-selected": "false" });
                option.append(element("bdi", { textContent: text }), element("span", { textContent: means }));
                return option;
            }),
        );
        this.shown = shown;
        this.toggle(true);
    }

    close() {
        this.active = -1;
        this.toggle(false);
    }

    toggle(isOpen) {
        this.list.hidden = !isOpen;
        this.list.classList.remove("hw-end");
        const { left, right } = this.list.getBoundingClientRect();
        this.list.classList.toggle("hw-end", left < 0 || right > document.documentElement.clientWidth);
        this.field.removeAttribute("aria-activedescendant");
        this.isArea || this.field.setAttribute("aria-expanded", String(isOpen));
    }

    move(step) {
        const options = [...this.list.children];
        // Beside the words there is a place for none of them, where one goes on writing.
        this.active = ((this.active + 1 + step + options.length + 1) % (options.length + 1)) - 1;
        options.forEach((option, at) => option.setAttribute("aria-selected", String(at === this.active)));
        const option = options[this.active];
        option ? this.field.setAttribute("aria-activedescendant", option.id) : this.toggle(true);
        option?.scrollIntoView({ block: "nearest" });
    }

    take(at) {
        const { start, end } = this.place;
        this.field.setRangeText(this.shown[at].text, start, end, "end");
        this.close();
        this.taken = true;
        this.field.dispatchEvent(new Event("input", { bubbles: true }));
    }

    onKey(event) {
        const steps = { ArrowDown: 1, ArrowUp: -1 };
        if (event.isComposing || event.altKey || event.metaKey) {
            return;
        }
        if (this.list.hidden) {
            if ((event.key === "ArrowDown" && !this.isArea) || (event.key === " " && event.ctrlKey)) {
                event.preventDefault();
                void this.suggest(true);
            }
        } else if (event.key in steps) {
            event.preventDefault();
            this.move(steps[event.key]);
        } else if (event.key === "Escape") {
            event.preventDefault();
            this.close();
        } else if (["Enter", "Tab"].includes(event.key) && this.active >= 0) {
            event.preventDefault();
            this.take(this.active);
        } else if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) {
            this.close();
        }
    }

    // Checking

    async check() {
        this.asking?.abort();
        const { signal } = (this.asking = new AbortController());
        const lines = (this.isArea ? this.field.value.split("\n") : [this.field.value]).map((line) => line.trim());
        try {
            const found = await Promise.all(lines.map((line) => (line && this.pk ? this.judge(line, signal) : null)));
            signal.aborted || this.tell(lines, found);
        } catch {
            // It is checked when it is sent.
            signal.aborted || this.said.replaceChildren();
        }
    }

    // Lines that were not changed need not be asked about again.
    async judge(text, signal) {
        const address = this.address(this.settings.check, { text, kind: this.field.dataset.formula });
        const answer = answers.get(address) ?? (await ask(address, signal));
        answer && answers.set(address, answer);
        return answer;
    }

    tell(lines, found) {
        const at = this.isArea ? this.field.value.slice(0, this.field.selectionStart).split("\n").length - 1 : 0;
        const wrong = found.some((one) => one?.ok === false);
        const told = lines.flatMap((_, number) => {
            const one = found[number];
            const isTold = one && (!one.ok || one.unknown.length > 0 || number === at);
            const text = one?.problem ?? one?.said;
            return isTold && text ? [this.toldOf(one, lines.length > 1 ? this.numbered(number + 1, text) : text)] : [];
        });
        this.said.replaceChildren(...told);
        wrong ? this.field.setAttribute("aria-invalid", "true") : this.field.removeAttribute("aria-invalid");
        // What was said when it was sent is not so any more.
        const around = this.field.closest(".hw-formula, .hw-shows, .form-row");
        around?.querySelectorAll(".errorlist").forEach((one) => (one.hidden = true));
        this.field.closest(".errors")?.classList.remove("errors");
    }

    numbered(number, text) {
        return this.settings.line.replace("__N__", () => number).replace("__TEXT__", () => text);
    }

    toldOf({ ok, unknown }, text) {
        const kind = ok ? (unknown.length ? "hw-unsure" : "hw-fine") : "hw-wrong";
        return element("p", { className: kind, textContent: text });
    }
}

function enhance(within) {
    within.querySelectorAll("[data-columns]").forEach((frame) => {
        drafts.has(frame) || drafts.set(frame, new Columns(frame));
    });
    const fields = [...(within.matches?.("[data-formula]") ? [within] : []), ...within.querySelectorAll("[data-formula]")];
    fields.forEach((field) => {
        const settings = field.closest("[data-check]")?.dataset;
        settings?.check && !drafts.has(field) && new Draft(field, settings);
    });
}

enhance(document);
// What a page puts in place later: fields that are gone to, and what is folded out.
document.addEventListener("focusin", (event) => enhance(event.target));
document.addEventListener("toggle", (event) => enhance(event.target), true);
