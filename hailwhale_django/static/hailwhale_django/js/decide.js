// Asks the server which option to show, hailwhale.decide("banner", show), and tells it what came of that,
// hailwhale.credit("banner", {revenue: 25}, "order-17"). No cookies, nothing is stored. See docs/pixel.md.
(() => {
    const { choose, credit, token } = document.currentScript.dataset;
    const said = (more) => JSON.stringify({ token, ...more });
    const asked = Object.create(null);
    // What staff want to see, which takes their session.
    const forced = location.search.match(/hailwhale_[^&]+/g)?.join("&");

    async function ask(decision) {
        const credentials = forced ? "same-origin" : "omit";
        try {
            const url = forced ? `${choose}?${forced}` : choose;
            const answer = await fetch(url, { method: "POST", body: said({ decision }), credentials });
            return (await answer.json()).option;
        } catch {
            // Nobody answers: the page shows what it would show anyway.
        }
    }

    const hailwhale = (window.hailwhale ??= {});
    hailwhale.decide = async (decision, show) => {
        const option = await (asked[decision] ??= ask(decision));
        show?.(option);
        return option;
    };
    hailwhale.credit = (decision, metrics, id) => {
        const body = said({ decision, metrics, id });
        if (!navigator.sendBeacon?.(credit, body)) {
            fetch(credit, { method: "POST", body, keepalive: true, mode: "no-cors", credentials: "omit" }).catch(() => {});
        }
    };
})();
