// In a frame: tells the page around it how high this one is, which may then make room for it.

const main = document.querySelector("main");
const { height, numbers } = main.dataset;

if (height) {
    main.style.setProperty("--hw-height", `${height}px`);
}
if (numbers !== undefined) {
    document.querySelectorAll(".hw-numbers").forEach((one) => (one.open = true));
}

function tell() {
    const height = Math.ceil(main.getBoundingClientRect().height);
    window.parent.postMessage({ type: "hailwhale:height", height }, "*");
}

if (window.parent !== window) {
    new ResizeObserver(tell).observe(main);
}
