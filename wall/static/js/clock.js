// What time it is, and up to when the figures hold.

export class Clock {
  constructor() {
    this.heartbeat = null;
    this.heardAt = 0;
    this.lost = false;
  }

  heard(heartbeat) {
    this.heartbeat = heartbeat;
    this.heardAt = performance.now();
  }

  /** Now: as the server's clock goes; or as the pipeline says, where that lives in another time. */
  now() {
    if (!this.heartbeat) return new Date();
    const now = new Date(new Date(this.heartbeat.now).getTime() + performance.now() - this.heardAt);
    return this.heartbeat.elsewhere ? new Date(this.heartbeat.clock) : now;
  }

  /** The day it is to the pipeline, in whose windows it counts. */
  today() {
    const { clock, now } = this.heartbeat;
    return (clock ?? now).slice(0, 10);
  }

  /** Up to when all that came in has been counted; none where nobody knows. */
  asOf() {
    if (!this.heartbeat?.counted_to) return null;
    return new Date(this.heartbeat.elsewhere ? this.heartbeat.clock : this.heartbeat.counted_to);
  }

  state() {
    if (this.lost) return "lost";
    return this.heartbeat?.state ?? "unknown";
  }

  /** The time up to which the figures hold, as it is said. */
  time(words) {
    const asOf = this.asOf();
    return asOf === null ? words.earlier : new Intl.DateTimeFormat(words.locale, {
      hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: this.heartbeat.timezone }).format(asOf);
  }

  /** What is to be said of figures that are not as they should be; nothing of others. */
  warning(words) {
    const state = this.state();
    return state === "fresh" || state === "unknown" ? "" : words.fresh[state](this.time(words));
  }
}
