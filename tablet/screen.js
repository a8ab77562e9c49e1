// What both screens, the tablet and the board, stand on: a state that is drawn when it changes, and texts in two languages.

// `change` merges a patch into the state. However many come at once, it is drawn once, by what `onChange` was given.
export function drawn(state) {
  let draw = () => {};
  let scheduled = false;
  return {
    onChange: (drawing) => (draw = drawing),
    change(patch) {
      Object.assign(state, patch);
      if (scheduled) return;
      scheduled = true;
      queueMicrotask(() => {
        scheduled = false;
        draw();
      });
    },
  };
}

export const LANGUAGES = { ko: "한국어", en: "English" };

// `texts`: {name: [Korean, English]}
export function spoken(texts) {
  let language = "en";
  return {
    speak(code) {
      language = code in LANGUAGES ? code : "en";
      document.documentElement.lang = language;
    },
    t: (name, values = {}) => texts[name][language === "ko" ? 0 : 1].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? ""),
  };
}
