// Pickers of a form with `data-submits` apply at once. A text is applied with Enter or the button.

export function onPicked({ target: field }) {
    if (!(field instanceof HTMLSelectElement) || !field.form?.matches("[data-submits]")) {
        return;
    }
    const text = field.form.elements.period_text;
    if (field.name === "p" && field.value === "") {
        text.focus();
        return;
    }
    if (field.name === "p") {
        text.value = "";
    }
    field.form.requestSubmit();
}
