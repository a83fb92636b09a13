// The columns of a page: each has a field; more are added, and each can go.

function buttonOf(className, textContent) {
    return Object.assign(document.createElement("button"), { type: "button", className, textContent });
}

export class Columns {
    constructor(frame) {
        this.frame = frame;
        this.last = frame.querySelectorAll(".hw-formula").length;
        this.adds = buttonOf("button hw-add", frame.dataset.add);
        this.adds.addEventListener("click", () => this.add());
        frame.append(this.adds);
        this.rows.forEach((row) => this.removable(row));
        this.count();
    }

    get rows() {
        return [...this.frame.querySelectorAll(":scope > .hw-formula")];
    }

    add() {
        const made = this.frame.querySelector("template").content.cloneNode(true);
        const [row, number] = [made.firstElementChild, ++this.last];
        const field = row.querySelector("input");
        row.querySelector("label").htmlFor = field.id = `hw-m${number}`;
        field.name = "m";
        this.adds.before(row);
        this.removable(row);
        this.count();
        field.focus();
    }

    removable(row) {
        const button = buttonOf("hw-remove-column", "×");
        button.addEventListener("click", () => {
            const near = row.nextElementSibling?.querySelector("input") ?? this.adds;
            row.remove();
            this.count();
            near.focus();
        });
        row.classList.add("hw-removable");
        row.append(button);
    }

    count() {
        const label = this.frame.querySelector("template").content.querySelector("label").textContent;
        this.rows.forEach((row, at) => {
            row.querySelector("label").textContent = label.replace("__N__", at + 1);
            const button = row.querySelector(".hw-remove-column");
            button.setAttribute("aria-label", this.frame.dataset.remove.replace("__N__", at + 1));
            button.hidden = this.rows.length < 2;
        });
        this.adds.hidden = this.rows.length >= Number(this.frame.dataset.columns);
    }
}
