// A television: it shows a code until somebody says which screen it is, and then that screen, for good.
// The wall is in a frame, so that whatever happens to the pairing, this page knows what to say.

import { by, element, setText } from "./dom.js";

const KEY = "malvakt_screen";
const ASK_MS = 2_000;
const OFTEN_MS = 60_000;
const SILENT_MS = 10_000; // three heartbeats

const WORDS = {
  sv: {
    title: "Koppla den här teven",
    how: (address) => `Öppna ${address}, välj en skärm och skriv in koden.`,
    picture: "Eller rikta en telefons kamera hit.",
    revoked: "Den här teven är frånkopplad.",
    lost: "Servern svarar inte. Försöker igen …",
    often: "Servern har mycket att göra. Försöker igen om en minut …",
    frame: "Väggen",
  },
  en: {
    title: "Pair this television",
    how: (address) => `Open ${address}, choose a screen and enter the code.`,
    picture: "Or point a phone's camera here.",
    revoked: "This television was revoked.",
    lost: "The server does not answer. Trying again …",
    often: "The server is busy. Trying again in a minute …",
    frame: "The wall",
  },
};

const language = navigator.language.startsWith("sv") ? "sv" : "en";
const words = WORDS[language];
document.documentElement.lang = language;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Ask until the server answers; what it says, and with which status. */
async function ask(path, body) {
  while (true) {
    try {
      const response = await fetch(`/api/tv/${path}`, {
        method: "POST",
        headers: { "x-csrf-token": "none", "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (response.ok) {
        setText(by("trouble"), "");
        return response.json();
      }
      if (response.status === 401 || response.status === 404) return null;
      setText(by("trouble"), words.often);
      await pause(OFTEN_MS);
    } catch {
      setText(by("trouble"), words.lost);
      await pause(ASK_MS);
    }
  }
}

async function begin() {
  const token = localStorage.getItem(KEY);
  by("pairing").hidden = document.querySelector("iframe") !== null;
  const kept = await ask("resume", { secret: token ?? "" });
  if (kept) {
    follow(kept);
    return;
  }
  localStorage.removeItem(KEY);
  await pair(token !== null);
}

async function pair(revoked) {
  document.querySelector("iframe")?.remove();
  document.documentElement.dataset.theme = "dark";
  by("pairing").hidden = false;
  by("revoked").hidden = !revoked;
  setText(by("revoked"), words.revoked);
  setText(by("title"), words.title);
  setText(by("how"), `${words.how(`${location.host}/manage/screens`)} ${words.picture}`);
  while (true) {
    const asked = await ask("codes", {});
    if (!asked) {
      await pause(ASK_MS);
      continue;
    }
    const { code, claim } = asked;
    setText(by("code"), `${code.slice(0, 3)} ${code.slice(3)}`);
    by("code").setAttribute("aria-label", code.split("").join(" "));
    by("picture").src = `/api/tv/codes/${code}`;
    while (true) {
      await pause(ASK_MS);
      const claimed = await ask("claims", { secret: claim });
      if (!claimed) break;
      if (claimed.token) {
        localStorage.setItem(KEY, claimed.token);
        follow(claimed.screen);
        return;
      }
    }
  }
}

function addressOf({ language: lang, theme, rotate_s, views, scope, period, board, names_hidden, initials, sound }) {
  const given = { lang, theme, rotate: rotate_s, views: views.join(","), board };
  if (names_hidden) Object.assign(given, { views: views.filter((kind) => kind !== "seller").join(","), board: "off" });
  if (initials) given.names = 0;
  if (scope) given.scope = scope;
  if (period) given.period = period;
  if (sound) given.sound = 1;
  return `/?${new URLSearchParams(given)}`;
}

function show({ screen }) {
  document.documentElement.dataset.theme = screen.theme;
  document.documentElement.lang = screen.language;
  document.title = `${screen.name} · Målvakt`;
  by("pairing").hidden = true;
  let frame = document.querySelector("iframe");
  if (!frame) {
    frame = element("iframe");
    frame.title = words.frame;
    frame.allow = "autoplay";
    frame.addEventListener("load", () => frame.focus());
    document.body.append(frame);
  }
  const address = addressOf(screen);
  // With names hidden or shown the same address gives other figures: it is read anew as well.
  if (frame.dataset.shows !== address + screen.names_hidden) {
    frame.dataset.shows = address + screen.names_hidden;
    frame.src = address;
  }
}

/** Show a screen, and each change of it, until this television is none any more. */
function follow(kept) {
  show(kept);
  const source = new EventSource("/api/tv/stream");
  let heard = performance.now();
  const leave = (next) => {
    clearInterval(timer);
    source.close();
    next();
  };
  const timer = setInterval(() => {
    const silent = performance.now() - heard > SILENT_MS;
    if (silent || source.readyState === EventSource.CLOSED) leave(begin);
  }, ASK_MS);
  source.addEventListener("heartbeat", () => {
    heard = performance.now();
  });
  source.addEventListener("screen", (event) => {
    heard = performance.now();
    show(JSON.parse(event.data));
  });
  source.addEventListener("revoked", () => leave(() => {
    localStorage.removeItem(KEY);
    pair(true);
  }));
}

begin();
