// Tells the server which page is looked at, and what hailwhale("signup", {plan: "pro"}, {revenue: 9}) says.
// No cookies, nothing is stored, nothing about the visitor is read. See docs/pixel.md.
(() => {
    const { url, token, key, pk, outbound } = document.currentScript.dataset;
    const waiting = window.hailwhale?.q ?? [];
    let last;

    function send(name, props, metrics, more) {
        const body = JSON.stringify({ token, key, pk, name, page: location.pathname, props, metrics, ...more });
        // A beacon outlives the page. Text needs no preflight.
        if (!navigator.sendBeacon?.(url, body)) {
            fetch(url, { method: "POST", body, keepalive: true, mode: "no-cors", credentials: "omit" }).catch(() => {});
        }
    }

    function view() {
        if (last === location.pathname) {
            return;
        }
        const referrer = last === undefined ? document.referrer.split("/")[2] : "";
        last = location.pathname;
        send("pageview", undefined, undefined, referrer && referrer !== location.host ? { referrer } : {});
    }

    const push = history.pushState;
    history.pushState = function (...state) {
        push.apply(this, state);
        view();
    };
    addEventListener("popstate", view);

    if (outbound !== undefined) {
        const leave = (event) => {
            const link = event.target.closest?.("a[href]")?.host;
            if (link && link !== location.host) {
                send("outbound", undefined, undefined, { link });
            }
        };
        addEventListener("click", leave);
        addEventListener("auxclick", leave);
    }

    // With what decide.js has put there.
    window.hailwhale = Object.assign((name, props, metrics) => send(name, props, metrics), window.hailwhale);
    // A page that is made ready before anybody asks for it is not looked at yet.
    document.prerendering ? document.addEventListener("prerenderingchange", view, { once: true }) : view();
    waiting.forEach((one) => send(...one));
})();
