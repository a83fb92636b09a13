// Graphs in frames: hailwhale(host).add_graph(target, options), or one where graph.js stands. See docs/embedding.md.
(() => {
    const script = document.currentScript;
    const own = new URL(".", script.src);
    const frames = new Set();

    function baseOf(host) {
        const given = new URL(host || own, location.href);
        const isOwn = given.origin === own.origin && given.pathname === "/";
        return isOwn ? own : new URL(given.href.replace(/[?#].*|\/*$/, "/"));
    }

    function frame(base, options) {
        const address = new URL("graph/", base);
        for (const [name, value] of Object.entries(options)) {
            if (value !== undefined && value !== null) {
                address.searchParams.set(name, typeof value === "object" ? JSON.stringify(value) : value);
            }
        }
        const found = Object.assign(document.createElement("iframe"), {
            src: address,
            title: options.title || "Graph",
            loading: "lazy",
            width: "100%",
            height: (parseInt(options.height, 10) || 240) + 90,
        });
        found.style.border = "0";
        found.style.colorScheme = options.theme ?? "";
        frames.add(found);
        return found;
    }

    addEventListener("message", ({ data, origin, source }) => {
        for (const one of frames) {
            const isIts = one.contentWindow === source && new URL(one.src).origin === origin;
            if (isIts && data?.type === "hailwhale:height" && data.height > 0) {
                one.height = Math.min(Math.ceil(data.height), 10000);
            }
        }
    });

    // A page that allows no frames says so.
    addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
        for (const one of frames) {
            if (effectiveDirective === "frame-src" && one.src.startsWith(blockedURI)) {
                const text = document.createElement("small");
                text.textContent = `A graph needs frame-src ${new URL(one.src).origin}`;
                one.replaceWith(text);
                frames.delete(one);
            }
        }
    });

    const graphs = (host) => ({
        add_graph(target, options = {}) {
            const place = typeof target === "string" ? document.querySelector(target) : (target?.[0] ?? target);
            const found = place instanceof Element ? frame(baseOf(host), options) : null;
            found && place.replaceChildren(found);
            return found;
        },
    });

    if (new URL(script.src).pathname.endsWith("/graph.js")) {
        const { hwurl, ...options } = Object.fromEntries(new URL(script.src).searchParams);
        script.after(frame(own, options));
        return;
    }
    // Where the tracker has the name, only hailwhale.graphs(host) is there.
    window.hailwhale = Object.assign(window.hailwhale ?? ((host) => graphs(host)), { graphs });
    if (window.jQuery) {
        window.jQuery.hailwhale = graphs;
    }
})();
