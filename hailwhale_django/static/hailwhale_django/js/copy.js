// A button that copies a text, or where the browser does not allow that, selects it. Without this file there is none.

for (const button of document.querySelectorAll("[data-copies]")) {
    const source = document.getElementById(button.dataset.copies);
    button.hidden = false;
    button.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(source.textContent);
            button.textContent = button.dataset.copied;
        } catch {
            getSelection().selectAllChildren(source);
        }
    });
}
