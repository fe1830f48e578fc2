// The Teams client's side of TeamsJS, as far as a tab of ours uses it. The messages are the
// library's own: { id, uuidAsString, func, args } from the tab, { id, uuidAsString, args } back, and
// { func, args } for what Teams tells a tab of itself.
const frame = document.querySelector("#tab-frame");
const asked = document.querySelector("#asked");
const save = document.querySelector("#save");
const pick = (id) => document.querySelector(`#${id}`);
const { dataset } = frame;
const origin = new URL(dataset.src).origin;
const silent = new URLSearchParams(location.search).has("silent");
const registered = new Set();
let settings = null;

const RUNTIME = {
  apiVersion: 4,
  isNAAChannelRecommended: false,
  hostVersionsInfo: {},
  isLegacyTeams: false,
  supports: { pages: { appButton: {}, backStack: {}, config: {}, tabs: {} }, logs: {}, teamsCore: {} },
};

// What Teams says of its user. A tool must not believe it, so a test can have it lie.
function context() {
  const lie = new URLSearchParams(location.search).get("lie");
  return {
    locale: "en-gb",
    theme: pick("theme").value,
    entityId: "training",
    subEntityId: pick("place").value || undefined,
    hostClientType: "web",
    hostName: "Teams",
    frameContext: dataset.frameContext,
    tid: dataset.tenantId,
    userObjectId: lie ?? dataset.objectId,
    userPrincipalName: lie ? "head@example.org" : "",
    userDisplayName: lie ? "The Headteacher" : dataset.name,
    userTeamRole: lie ? 0 : 1,
    sessionId: crypto.randomUUID(),
    appSessionId: crypto.randomUUID(),
  };
}

async function token() {
  const body = new URLSearchParams({ person: dataset.person, fault: pick("fault").value });
  const answer = await fetch(dataset.tokenUrl, { method: "POST", body });
  const said = await answer.json();
  return said.token ? [true, said.token] : [false, said.error];
}

const ANSWERS = {
  initialize: () => [dataset.frameContext, "web", JSON.stringify(RUNTIME), "2.0.1"],
  getContext: () => [context()],
  "authentication.getAuthToken": token,
  "settings.setSettings": (given) => {
    settings = given;
    return [true];
  },
  "settings.getSettings": () => [settings ?? {}],
};

const NOTES = {
  registerHandler: (name) => registered.add(name),
  "settings.setValidityState": (isValid) => {
    save.hidden = false;
    save.disabled = !isValid;
  },
  "settings.save.success": () => {
    save.hidden = true;
    dataset.frameContext = "content";
    asked.dataset.entity = settings.entityId;
    asked.dataset.label = settings.suggestedDisplayName;
    frame.src = settings.contentUrl;
  },
};

function tell(func, ...args) {
  frame.contentWindow.postMessage({ func, args }, origin);
}

addEventListener("message", async (event) => {
  if (event.source !== frame.contentWindow || event.origin !== origin || silent) return;
  const { id, uuidAsString, func, args = [] } = event.data;
  const line = document.createElement("li");
  line.textContent = func;
  asked.append(line);
  NOTES[func]?.(...args);
  const answer = await ANSWERS[func]?.(...args);
  if (answer) event.source.postMessage({ id, uuidAsString, args: answer }, origin);
});

save.addEventListener("click", () => tell("settings.save", {}));
pick("theme").addEventListener("change", () => {
  if (registered.has("themeChange")) tell("themeChange", pick("theme").value);
});
frame.src = dataset.src;
