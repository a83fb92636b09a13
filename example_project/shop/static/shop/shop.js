// Tells what is put into the cart, and keeps the numbers of the shop's first page fresh.

for (const form of document.querySelectorAll("form[data-product]")) {
    form.addEventListener("submit", () => {
        const { category, product } = form.dataset;
        window.hailwhale?.("cart", { category, product }, { carts: 1 });
    });
}

const numbers = document.querySelector("[data-numbers]");
const SECONDS = 2;

async function refresh() {
    if (document.hidden) {
        return;
    }
    const response = await fetch(numbers.dataset.numbers).catch(() => undefined);
    if (response?.ok) {
        numbers.innerHTML = await response.text();
    }
}

if (numbers) {
    setInterval(refresh, SECONDS * 1000);
}
