// The platform's storage for tools (1EdTech LTI postMessage Storage 0.1), and what may go wrong
// with it. Which of them: data-storage on this script, or on the front page the form just sent.
const FRAME = "post_message_forwarding";
const SUBJECTS = ["lti.capabilities", "lti.put_data", "lti.get_data"];
const kept = new Map();
let storage = document.currentScript.dataset.storage;

addEventListener("submit", (event) => {
  storage = event.target.elements.storage?.value ?? storage;
});

function capabilities() {
  const inFrame = storage === "frame" || storage === "named";
  const supported = SUBJECTS.map((subject) => (inFrame ? { subject, frame: FRAME } : { subject }));
  return { supported_messages: supported };
}

function keep({ subject, key, value }, origin) {
  if (storage === "error") return { error: { code: "storage_exhausted", message: "Full." } };
  const place = JSON.stringify([origin, key]);
  if (subject === "lti.put_data") kept.set(place, value);
  return { key, value: storage === "another-value" ? "0".repeat(64) : (kept.get(place) ?? null) };
}

addEventListener("message", (event) => {
  const asked = event.data ?? {};
  if (asked.relayed) return parent.frames.tool.postMessage(asked.relayed, "*");
  const isMine = (window.name === FRAME) === (storage === "frame" || storage === "named");
  const isStorage = SUBJECTS.indexOf(asked.subject) > 0;
  if (storage === "none" || storage === "no-reply" || !SUBJECTS.includes(asked.subject)) return;
  if (isStorage ? !isMine : window.name === FRAME) return;
  const reply = {
    subject: `${asked.subject}.response`,
    message_id: storage === "wrong-number" ? "another" : asked.message_id,
    ...(isStorage ? keep(asked, event.origin) : capabilities()),
  };
  if (storage === "wrong-origin") frames.elsewhere.postMessage({ relayed: reply }, "*");
  else event.source.postMessage(reply, event.origin);
});
