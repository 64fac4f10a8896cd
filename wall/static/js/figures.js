// Figures as people read them.

const SHORT_FROM = 10_000;

/** What it takes a day, in as many digits as anybody acts on: never less than it takes, so never nothing. */
export function toTake(value) {
  const number = Number(value);
  const least = typeof value === "string" || number >= 10 ? 1 : 0.1;
  const step = Math.max(10 ** (Math.floor(Math.log10(number)) - 2), least);
  // What floats add to a tenth is no part of it.
  const up = (Math.ceil(number / step - 1e-9) * step).toFixed(1);
  return typeof value === "string" ? up : Number(up);
}

/** Formats figures in a language and currency. */
export class Figures {
  /** `meaning` tells how a KPI is written, if it is known. */
  constructor(locale, currency, meaning) {
    this.locale = locale;
    this.currency = currency;
    this.meaning = meaning;
    this.whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    this.percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
    this.number = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });
    this.tenths = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
    this.short = new Intl.NumberFormat(locale, { notation: "compact", maximumSignificantDigits: 3 });
  }

  /** Money in whole units, in its parts: the currency can be set smaller. */
  moneyParts(value, currency = this.currency) {
    const format = new Intl.NumberFormat(this.locale, { style: "currency", currency, maximumFractionDigits: 0,
      currencyDisplay: "narrowSymbol" });
    return format.formatToParts(Number(value));
  }

  money(value, currency = this.currency) {
    return this.moneyParts(value, currency).map((part) => part.value).join("");
  }

  /** A KPI's figure; a dash where there is none. */
  kpi(name, value) {
    if (value === null || value === undefined) return "–";
    if (this.meaning(name)?.unit === "ratio") return this.percent.format(value);
    if (typeof value !== "string") return this.whole.format(value);
    return Number(value) >= 1e6 ? this.short.format(Number(value)) : this.whole.format(Number(value));
  }

  /** A figure of any KPI in few characters, as goals are told. */
  amount(name, value) {
    if (value === null || value === undefined) return "–";
    const number = Number(value);
    const unit = this.meaning(name)?.unit;
    if (unit === "ratio") return this.percent.format(number);
    if (unit === "number") return this.number.format(number);
    if (Math.abs(number) >= SHORT_FROM) return this.short.format(number);
    return typeof value === "string" ? this.whole.format(number) : this.tenths.format(number);
  }

  /** A change as a share, with its sign in words of its own. */
  change(share) {
    return this.percent.format(Math.abs(share));
  }
}
