// Asks for something every few seconds while the page is to be seen, with a button to pause. Without this file the page
// has a link to look again.

export function poll(ask) {
    const button = document.getElementById("hw-pause");
    const every = document.getElementById("hw-every");
    const away = document.getElementById("hw-away");
    const milliseconds = button.dataset.seconds * 1000;
    let paused = false;
    let timer = 0;
    let asking = false;

    async function tick() {
        clearTimeout(timer);
        if (paused || asking || document.hidden) {
            return;
        }
        asking = true;
        let text = "";
        try {
            await ask(() => paused);
        } catch {
            text = away.dataset.text;
        }
        if (away.textContent !== text) {
            away.textContent = text;
        }
        asking = false;
        timer = setTimeout(tick, milliseconds);
    }

    button.addEventListener("click", () => {
        paused = !paused;
        button.setAttribute("aria-pressed", paused);
        every.hidden = paused;
        tick();
    });
    document.addEventListener("visibilitychange", tick);
    button.hidden = every.hidden = false;
    document.getElementById("hw-again").hidden = true;
    timer = setTimeout(tick, milliseconds);
}

// What the server says now, or an error: a page to log in again is none of it.
export async function fetched(address, type) {
    const response = await fetch(address, { headers: { Accept: type }, redirect: "error" });
    if (!response.ok) {
        throw new Error(response.statusText);
    }
    return response;
}
