// Renews the numbers of the health page in place: what is as it was stays the same element, so that nobody loses the
// place, the focus or what is selected.

import { fetched, poll } from "./polling.js";

function renew(old, fresh) {
    if (old.isEqualNode(fresh)) {
        return;
    }
    if (old.nodeName !== fresh.nodeName || old.childNodes.length !== fresh.childNodes.length) {
        old.replaceWith(fresh);
    } else if (old.nodeType === Node.TEXT_NODE) {
        old.data = fresh.data;
    } else {
        old.className = fresh.className;
        const children = [...fresh.childNodes];
        [...old.childNodes].forEach((child, at) => renew(child, children[at]));
    }
}

poll(async (isPaused) => {
    const response = await fetched(location.href, "text/html");
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!isPaused()) {
        renew(document.getElementById("hw-health"), document.importNode(page.getElementById("hw-health"), true));
    }
});
