// What the pages say on which people set things, in each language.

const SWEDISH = {
  locale: "sv-SE",
  pages: "Sidor",
  nav: { alerts: "Händelser", standing: "Läget", figures: "Siffror", goals: "Mål", screens: "Skärmar", accounts: "Konton" },
  week: "Vecka",
  quarter: "Kvartal",
  todayAt: (time) => `i dag ${time}`,
  trackSays: (value, target, due) => `${value} av ${target}${due === null ? "" : `, nu borde det vara ${due}`}`,
  alert: {
    title: "Händelser",
    intro: "Vad som händer med målen. Det som behöver någon står först; när du tar det vet alla andra att någon gör det.",
    open: "Att ta hand om", others: "Senaste tiden", none: "Inget just nu. Allt som behöver någon har någon.",
    take: "Jag tar det", taken: (who) => `${who} tar hand om det.`, by: (who, when) => `${who} tar hand om det, sedan ${when}`,
    more: "Det finns äldre, som inte visas här.",
  },
  signOut: "Logga ut",
  other: "English",
  saved: "Sparat.",
  save: "Spara",
  remove: "Ta bort",
  sure: (name) => `Ta bort ${name}?`,
  open: "Servern är startad med --open: den har inga konton och inga skärmar att ställa in.",
  signIn: { title: "Logga in", name: "Namn", password: "Lösenord", go: "Logga in",
    none: "Ingen har ett konto än. Öppna länken som servern skrev ut när den startade." },
  first: { title: "Det första kontot", intro: "Du blir den som ställer in skärmar och lägger till andra.",
    code: "Koden som servern skrev ut", go: "Skapa kontot" },
  rule: "Minst 12 tecken. Några ord efter varandra är bra.",
  people: { title: "Konton", intro: "Alla med ett konto ser alla siffror, ställer in skärmar och lägger till andra.",
    add: "Lägg till ett konto", go: "Lägg till", mine: "Byt ditt lösenord", old: "Nuvarande lösenord",
    fresh: "Nytt lösenord", change: "Byt lösenord", changed: "Bytt. Överallt annars är du utloggad.", you: "du" },
  screen: {
    title: "Skärmar",
    intro: "En skärm är vad en teve visar. Öppna /tv på teven och skriv in koden som den visar.",
    add: "Ny skärm", go: "Skapa skärmen", settings: "Inställningar", name: "Namn", language: "Språk", theme: "Tema",
    themes: { dark: "Mörkt", light: "Ljust" }, rotate: "Sekunder per vy", rotateHint: "0 stannar kvar",
    views: "Vyer", kinds: { company: "Hela bolaget", team: "Team", seller: "Säljare" },
    scope: "Bara", all: "Alla valda vyer", period: "Period",
    periods: { "": "Efter vyn", day: "I dag", week: "Veckan", month: "Månaden" },
    board: "Tavla", boards: { activity: "Mest aktiva", share: "Andel av sitt mål", off: "Ingen" },
    hidden: "Dölj säljarna", hiddenHint: "Inget som rör enskilda säljare lämnar servern.", sound: "Ljud när en affär vinns",
    none: "Det finns ingen skärm än.",
    televisions: "Tevear", noTelevision: "Ingen teve är kopplad.", paired: (time) => `Kopplad ${time}`,
    revoke: "Koppla från", revoked: "Frånkopplad.", code: "Koden på teven", pair: "Koppla", isPaired: "Kopplad. Teven visar skärmen inom några sekunder.",
    removed: "Borttagen.", made: "Skärmen finns.",
  },
  reasons: {
    wrong: "Namnet eller lösenordet är fel.",
    code: "Den koden gäller inte. Se efter om den är en annan nu.",
    made: "Det första kontot finns redan; logga in med det.",
    taken: "Det finns redan ett konto med det namnet.",
    last: "Det är det sista kontot: utan det kan ingen logga in.",
    length: "Ett lösenord har 12 till 200 tecken.",
    often: "För många försök. Vänta några minuter.",
    kafka: "Kafka svarar inte, så inget är sparat. Försök igen om en stund.",
    alert: "Den händelsen finns inte längre.",
  },
  lost: "Servern svarar inte. Försök igen.",
  invalid: "Det går inte ihop: ",
};

const ENGLISH = {
  locale: "en-GB",
  pages: "Pages",
  nav: { alerts: "Alerts", standing: "Standing", figures: "Figures", goals: "Goals", screens: "Screens", accounts: "Accounts" },
  week: "Week",
  quarter: "Q",
  todayAt: (time) => `today ${time}`,
  trackSays: (value, target, due) => `${value} of ${target}${due === null ? "" : `, by now it should be ${due}`}`,
  alert: {
    title: "Alerts",
    intro: "What goes on with goals. What needs somebody comes first; once you take it, everybody else knows that somebody does.",
    open: "To see to", others: "Lately", none: "Nothing right now. All that needs somebody has somebody.",
    take: "I see to it", taken: (who) => `${who} sees to it.`, by: (who, when) => `${who} sees to it, since ${when}`,
    more: "There are older ones, which are not shown here.",
  },
  signOut: "Sign out",
  other: "Svenska",
  saved: "Saved.",
  save: "Save",
  remove: "Remove",
  sure: (name) => `Remove ${name}?`,
  open: "The server was started with --open: it has no accounts, and no screens to set.",
  signIn: { title: "Sign in", name: "Name", password: "Password", go: "Sign in",
    none: "Nobody has an account yet. Open the link that the server printed when it started." },
  first: { title: "The first account", intro: "You will be the one who sets up screens and adds others.",
    code: "The code that the server printed", go: "Make the account" },
  rule: "12 characters at least. A few words in a row are good.",
  people: { title: "Accounts", intro: "Everybody with an account sees every figure, sets up screens and adds others.",
    add: "Add an account", go: "Add", mine: "Change your password", old: "Present password",
    fresh: "New password", change: "Change password", changed: "Changed. Everywhere else you are signed out.", you: "you" },
  screen: {
    title: "Screens",
    intro: "A screen is what a television shows. Open /tv on the television and enter the code that it shows.",
    add: "New screen", go: "Make the screen", settings: "Settings", name: "Name", language: "Language", theme: "Theme",
    themes: { dark: "Dark", light: "Light" }, rotate: "Seconds for each view", rotateHint: "0 stays",
    views: "Views", kinds: { company: "Whole company", team: "Teams", seller: "Sellers" },
    scope: "Only", all: "All chosen views", period: "Period",
    periods: { "": "By the view", day: "Today", week: "Week", month: "Month" },
    board: "Board", boards: { activity: "Most active", share: "Share of their own goal", off: "None" },
    hidden: "Hide sellers", hiddenHint: "Nothing about single sellers leaves the server.", sound: "Sound when a deal is won",
    none: "There is no screen yet.",
    televisions: "Televisions", noTelevision: "No television is paired.", paired: (time) => `Paired ${time}`,
    revoke: "Revoke", revoked: "Revoked.", code: "The code on the television", pair: "Pair", isPaired: "Paired. The television shows the screen within seconds.",
    removed: "Removed.", made: "The screen is made.",
  },
  reasons: {
    wrong: "The name or the password is wrong.",
    code: "That code is not valid. See whether it is another one by now.",
    made: "The first account has been made; sign in with it.",
    taken: "There is an account of that name.",
    last: "This is the last account: without it nobody could sign in.",
    length: "A password has 12 to 200 characters.",
    often: "Too many tries. Wait some minutes.",
    kafka: "Kafka does not answer, so nothing was saved. Try again in a while.",
    alert: "That alert is no more.",
  },
  lost: "The server does not answer. Try again.",
  invalid: "That cannot be: ",
};

const KEY = "malvakt_language";

export const language = localStorage.getItem(KEY) ?? (navigator.language.startsWith("sv") ? "sv" : "en");

export const words = language === "sv" ? SWEDISH : ENGLISH;

document.documentElement.lang = language === "sv" ? "sv" : "en";

export function speakOther() {
  localStorage.setItem(KEY, language === "sv" ? "en" : "sv");
  location.reload();
}
