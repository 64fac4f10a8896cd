// A deal is won: the room hears of it, once.

import { by } from "./dom.js";

const LASTS_MS = 9_000;
const LEAVES_MS = 900;
const REMEMBERED = 500;
/** How many wait for their moment; of more, those won last. */
const MOST_WAITING = 10;
const CHIME_HZ = [523.25, 659.25, 783.99];

export class Celebration {
  constructor(words, figures, sound) {
    this.words = words;
    this.figures = figures;
    this.sound = sound;
    this.waiting = [];
    this.seen = new Set();
    this.showing = false;
  }

  /** Celebrate a deal, unless that was done. */
  of(moment, name) {
    const key = JSON.stringify([moment.customer, moment.deal]);
    if (!moment.new || this.seen.has(key)) return;
    this.seen.add(key);
    if (this.seen.size > REMEMBERED) this.seen.delete(this.seen.values().next().value);
    this.waiting.push({ moment, name });
    if (this.waiting.length > MOST_WAITING) this.waiting.shift();
    if (!this.showing) this.show();
  }

  show() {
    const next = this.waiting.shift();
    const box = by("celebration");
    this.showing = next !== undefined;
    if (!next) {
      box.hidden = true;
      return;
    }
    const { moment, name } = next;
    const value = moment.value === null ? "" : this.figures.money(moment.value, moment.currency ?? undefined);
    by("cheer").textContent = this.words.won;
    by("winner").textContent = name ?? this.words.somebody;
    by("prize").textContent = value;
    by("spoken").textContent = this.words.spoken(name ?? this.words.somebody, value);
    box.classList.remove("leaving");
    box.hidden = false;
    if (this.sound) chime();
    // Where several are won at a time, each has its moment, and a shorter one.
    const lasts = this.waiting.length ? LASTS_MS / 2 : LASTS_MS;
    setTimeout(() => box.classList.add("leaving"), lasts);
    setTimeout(() => this.show(), lasts + LEAVES_MS);
  }
}

/** Three soft tones; a browser that was not allowed to make sound stays silent. */
function chime() {
  const audio = new AudioContext();
  CHIME_HZ.forEach((hertz, nth) => {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    const begins = audio.currentTime + nth * 0.16;
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(0, begins);
    gain.gain.linearRampToValueAtTime(0.12, begins + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.0001, begins + 1.6);
    tone.connect(gain).connect(audio.destination);
    tone.start(begins);
    tone.stop(begins + 1.7);
    if (nth === CHIME_HZ.length - 1) tone.addEventListener("ended", () => audio.close());
  });
}
