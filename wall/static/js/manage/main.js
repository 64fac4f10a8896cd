// Which page is shown, and to whom. A page that is added is a line in the list, and a name among the words.

import { by, element, setText } from "../dom.js";
import { accounts } from "./accounts.js";
import { alerts } from "./alerts.js";
import { behind } from "./behind.js";
import { figures } from "./figures.js";
import { attempt, faultOf } from "./forms.js";
import { goals } from "./goals.js";
import { screens } from "./screens.js";
import { enter, look } from "./session.js";
import { first, signIn } from "./signing.js";
import { standing } from "./standing.js";
import { speakOther, words } from "./words.js";

const PAGES = { alerts, standing, figures, goals, screens, accounts, behind };

function frame(session) {
  setText(by("language"), words.other);
  by("language").lang = words.locale === "sv-SE" ? "en" : "sv";
  by("language").addEventListener("click", speakOther);
  if (!session.account) return;
  by("pages").setAttribute("aria-label", words.pages);
  for (const [name, text] of Object.entries(words.nav)) {
    if (!PAGES[name]) continue;
    const link = element("a", "", text);
    link.href = `/manage/${name}`;
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
    by("pages").append(link);
  }
  setText(by("who"), session.account.name);
  by("sign-out").hidden = false;
  setText(by("sign-out"), words.signOut);
  by("sign-out").addEventListener("click", () => attempt(signOut));
}

async function signOut() {
  try {
    await enter("POST", "session/end");
  } catch (error) {
    // Whose session is over is signed out.
    if (error.status !== 401) throw error;
  }
  location.assign("/manage/sign-in");
}

async function begin() {
  const page = by("page");
  const path = location.pathname.replace(/\/$/, "");
  const name = path.slice("/manage/".length);
  try {
    const session = await look();
    frame(session);
    if (path === "/manage/first") first(page);
    else if (path === "/manage/sign-in") signIn(page, session);
    else if (!session.account) location.replace(`/manage/sign-in?to=${encodeURIComponent(path + location.search)}`);
    else if (PAGES[name]) await PAGES[name](page);
    else location.replace("/manage/alerts");
  } catch (error) {
    page.append(element("p", "fault", error.status === 404 ? words.open : faultOf(error)));
  }
  const title = page.querySelector("h1")?.textContent;
  document.title = title ? `${title} · Målvakt` : "Målvakt";
  page.dataset.ready = "yes";
}

const light = matchMedia("(prefers-color-scheme: light)");
const dress = () => {
  document.documentElement.dataset.theme = light.matches ? "light" : "dark";
};
light.addEventListener("change", dress);
dress();
begin();
