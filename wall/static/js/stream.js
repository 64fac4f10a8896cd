// The connection to the server. It ends now and then, and is silent now and then: both are noticed within
// seconds, and it goes on after the last event that came.

import { asked } from "./store.js";

const SILENT_MS = 7_000; // more than two heartbeats
const GRACE_MS = 2_000; // a connection that is back by then was never gone
const LOOK_MS = 500;
const KINDS = ["record", "moment", "goal", "status", "alert", "name", "member", "definition"];

export class Connection {
  /** `heard` gets the name and data of each event of these kinds, `lost` whether the connection is lost. */
  constructor(position, heard, lost, kinds = KINDS) {
    this.kinds = kinds;
    this.position = position;
    this.heard = heard;
    this.lost = lost;
    this.isLost = false;
    this.latest = performance.now();
    this.failing = null;
    this.connect();
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  connect() {
    this.source?.close();
    this.source = new EventSource(`/api/stream?since=${encodeURIComponent(this.position)}`);
    for (const kind of [...this.kinds, "reset", "heartbeat"]) {
      this.source.addEventListener(kind, (event) => this.take(kind, event));
    }
    this.source.addEventListener("error", () => {
      this.failing ??= performance.now();
    });
    this.tried = performance.now();
  }

  take(kind, event) {
    this.latest = performance.now();
    this.failing = null;
    if (event.lastEventId) this.position = event.lastEventId;
    this.heard(kind, JSON.parse(event.data));
    this.tell(false);
  }

  look() {
    const now = performance.now();
    const silent = now - this.latest > SILENT_MS;
    this.tell(silent || (this.failing !== null && now - this.failing > GRACE_MS));
    // A browser gives up on some answers, and does not notice a network that is gone.
    const gaveUp = this.source.readyState === EventSource.CLOSED;
    // It may be that the session has ended: then another question says so.
    if (gaveUp && now - this.tried > GRACE_MS) asked("now").catch(console.warn);
    if ((silent || gaveUp) && now - this.tried > (gaveUp ? GRACE_MS : SILENT_MS)) this.connect();
  }

  tell(isLost) {
    if (isLost !== this.isLost) {
      this.isLost = isLost;
      this.lost(isLost);
    }
  }

  close() {
    clearInterval(this.timer);
    this.source.close();
  }
}
