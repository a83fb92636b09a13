// What could stand at the caret of a field in which a formula, or a column with its title and format, is written.

const QUOTED = /"(?:[^"\\]|\\.)*"/g;
const NAME_BEFORE = /[\p{L}_][\p{L}\p{N}_.]*(?::[\p{L}\p{N}_.]*)*$/u;
const NAME_BEHIND = /^[\p{L}\p{N}_.:]*/u;

// How well a word begins as it is written so far: at its beginning, at that of a part, somewhere within; -1: not at all.
function fits(word, written) {
    const [text, sought] = [word.toLowerCase().replace(/^"|"$/g, ""), written.toLowerCase()];
    const at = text.indexOf(sought);
    if (at < 1) {
        return at;
    }
    return /[\p{L}\p{N}]/u.test(text[at - 1]) ? 2 : 1;
}

// The part of the text that a word would replace, and the words, best first.
export function expected(field, words, isColumn) {
    const caret = field.selectionStart;
    const before = field.value.slice(field.value.slice(0, caret).lastIndexOf("\n") + 1, caret);
    const bare = before.replace(QUOTED, (quoted) => "q".repeat(quoted.length));
    const found = (written, from, behind = 0) => ({
        written,
        start: caret - written.length - behind,
        end: caret,
        words: from
            .map((word) => [fits(word.text, written), word])
            .filter(([fit]) => fit >= 0)
            .sort(([one], [other]) => one - other)
            .map(([, word]) => word),
    });
    if (isColumn && bare.includes("[")) {
        return found(bare.match(/[^[;\s][^[;]*$|$/)[0], bare.includes("]") ? [] : words.formats);
    }
    if (isColumn && /\sas\s/.test(bare)) {
        return found("", []);
    }
    const open = bare.indexOf('"');
    if (open >= 0) {
        const place = found(before.slice(open + 1), words.metrics, 1);
        place.end += field.value[caret] === '"' ? 1 : 0;
        return place;
    }
    const level = before.match(/\S(@\w*)$/)?.[1];
    if (level !== undefined) {
        return found(level, words.suffixes);
    }
    const name = bare.match(NAME_BEFORE)?.[0] ?? "";
    const metric = name.slice(0, Math.max(name.lastIndexOf(":"), 0));
    const carried = words.metrics.some(({ text }) => text === metric)
        ? words.suffixes.filter(({ text }) => text[0] === ":").map((word) => ({ ...word, text: metric + word.text }))
        : [];
    const place = found(name, [...words.metrics, ...carried, ...(name ? words.constants : [])]);
    place.end += field.value.slice(caret).match(NAME_BEHIND)[0].length;
    place.awaited = name !== "" || /[-+*/(]\s*$/.test(bare);
    return place;
}
