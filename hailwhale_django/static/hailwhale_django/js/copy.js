// A button that copies a text. Without this file, or where the browser does not allow it, there is none.

for (const button of document.querySelectorAll("[data-copies]")) {
    if (navigator.clipboard) {
        button.hidden = false;
        button.addEventListener("click", async () => {
            await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
            button.textContent = button.dataset.copied;
        });
    }
}
