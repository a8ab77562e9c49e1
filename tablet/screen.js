// What both screens, the tablet and the board, stand on: a state that is drawn when it changes, what is read again when it is
// old, texts in two languages, and prices as people write them.

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

// To be called after each change. However many come at once, one reading follows the last of them, and it is tried until
// there is an answer or nobody wants it any more. `read` resolves to whether there was one; `rest` says how many
// milliseconds to wait after it.
export function readAgain({ read, isWanted, rest }) {
  let isOld = false;
  let reading = false;
  return async () => {
    isOld = true;
    if (reading) return;
    reading = true;
    while (isOld && isWanted()) {
      isOld = false;
      const isRead = await read();
      if (!isRead) isOld = true;
      await new Promise((resolve) => setTimeout(resolve, rest(isRead)));
    }
    reading = false;
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

// How many digits a currency has behind the point, where it is not two (ISO 4217, as stores/money.py has it). A browser
// has others for some, and would show a hundred times what is to be paid.
const DIGITS = { BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0, BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3 };
const writers = new Map(); // to make one takes far longer than to use it

// An amount in the currency's smallest unit.
export function price(amount, currency, language) {
  const key = `${language} ${currency}`;
  if (!writers.has(key)) writers.set(key, writer(currency, language));
  return writers.get(key)(amount);
}

function writer(currency, language) {
  const digits = DIGITS[currency] ?? 2;
  const format = new Intl.NumberFormat(language, {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return (amount) => format.format(amount / 10 ** digits);
}
