// What goes on: what asks for somebody first, then what happened lately.

import { element, setText } from "../dom.js";
import { button, say } from "./forms.js";
import { live, redraw } from "./live.js";
import { behind, grainOf, naming } from "./naming.js";
import { ask } from "./session.js";
import { track } from "./track.js";
import { language, words } from "./words.js";

export async function alerts(page) {
  const said = words.alert;
  const names = await naming();
  const open = element("ul", "list");
  const others = element("ul", "list quiet");
  const none = element("p", "calm", said.none);
  const count = element("span", "count");
  const more = element("p", "hint");
  const fill = async () => {
    await names.look();
    const listed = await ask("GET", `manage/alerts?lang=${language}`);
    const cards = listed.alerts.map((one) => [one, card(one, names, fill)]);
    redraw(open, ...cards.filter(([one]) => one.open).map(([, made]) => made));
    redraw(others, ...cards.filter(([one]) => !one.open).map(([, made]) => made));
    none.hidden = listed.open > 0;
    setText(count, listed.open ? String(listed.open) : "");
    setText(more, listed.more ? said.more : "");
  };
  await fill();
  page.append(
    element("h1", "", said.title), element("p", "intro", said.intro),
    element("section", "", element("h2", "", said.open, " ", count), none, open),
    element("section", "", element("h2", "", said.others), others, more),
  );
  live(names, ["alert", "ack", "goal"], fill);
}

function card({ alert, open, acknowledged, title, says }, names, fill) {
  const said = words.alert;
  const { status } = alert;
  const time = element("time", "", names.moment(alert.at));
  time.dateTime = alert.at;
  const grain = grainOf(status.start, status.end);
  const actions = element("div", "actions");
  if (open) {
    const take = button(said.take, async () => {
      const ack = await ask("POST", "manage/acks", { alert: alert.id });
      say(said.taken(ack.by));
      actions.replaceChildren(element("p", "seen", said.by(ack.by, names.moment(ack.at))));
      // Where it stands on the page follows once the server has heard of it.
      setTimeout(() => fill().catch(console.warn), 1_500);
    }, "");
    take.dataset.place = alert.id;
    take.setAttribute("aria-label", `${said.take}: ${title}`);
    actions.append(take);
  }
  if (acknowledged) actions.append(element("p", "seen", said.by(acknowledged.by, names.moment(acknowledged.at))));
  if (grain) {
    const link = element("a", "", said.behind);
    link.href = behind(status.scope, grain, status.start, status.kpi);
    link.setAttribute("aria-label", `${said.behind} ${title}`);
    actions.append(link);
  }
  const item = element("li", "card alert",
    element("div", "head", element("span", "mark"), element("h3", "", title), time),
    element("div", "says", element("p", "", says[0]), says.length > 1 ? element("p", "", says.slice(1).join(" ")) : null), track(status, names), actions);
  item.dataset.kind = alert.kind;
  item.dataset.open = String(open);
  return item;
}
