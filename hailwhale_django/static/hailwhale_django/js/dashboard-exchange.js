// A part of a page gives way to a newer one, and the reader does not lose their place.

const FOCUSABLE = "a[href], button, summary, input, canvas, [tabindex='0']";

// The same thing as before: by its name or address, else by its words, else by its place.
function focusPath(part) {
    const focused = document.activeElement;
    if (!part.contains(focused)) {
        return null;
    }
    const at = [...part.querySelectorAll(FOCUSABLE)].indexOf(focused);
    return { at, id: focused.id, href: focused.getAttribute("href"), text: focused.textContent.trim() };
}

function refocus(part, { at, id, href, text }) {
    const all = [...part.querySelectorAll(FOCUSABLE)].filter((one) => one.checkVisibility());
    const found =
        (id && all.find((one) => one.id === id)) ||
        all.find((one) => href && one.getAttribute("href") === href) ||
        all.find((one) => text && one.textContent.trim() === text) ||
        part.querySelectorAll(FOCUSABLE)[at];
    const otherwise = all[0] ?? document.querySelector("#hw-board summary");
    (found?.checkVisibility() ? found : otherwise)?.focus({ preventScroll: true });
}

// What is folded out stays so, and what is scrolled, and where the focus is.
export function exchange(part, fresh) {
    const focused = focusPath(part);
    const unfolded = [...part.querySelectorAll("details")].map((one) => one.open && !one.matches(".hw-menu"));
    const scrolled = [...part.querySelectorAll(".hw-scroll")].map((one) => [one.scrollLeft, one.scrollTop]);
    part.replaceWith(fresh);
    fresh.querySelectorAll("details").forEach((one, at) => {
        one.open ||= unfolded[at] ?? false;
    });
    fresh.querySelectorAll(".hw-scroll").forEach((one, at) => one.scrollTo(...(scrolled[at] ?? [0, 0])));
    if (focused) {
        refocus(fresh, focused);
    }
}
