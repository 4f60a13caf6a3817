/** What the check says, on the page: status, findings, marked words, the label of the submit button. */
import { el } from "./dom.js";
import { PHOTO_ADVICE, photosNamed } from "./photo_words.js";
import { segments, words } from "./segments.js";

const MARKED = ["title", "description"];
const OFFLINE = "You are offline. The check still works on this device.";
const OUTDATED = "The latest update of the check did not arrive in one piece. The check before it is used; the listing is checked again after you submit.";

export function createFindings(form, policies) {
  const status = document.getElementById("device-check-status");
  const list = document.getElementById("device-check-findings");
  const submit = form.querySelector('button[name="action"][value="submit"]');
  const calmLabel = submit?.textContent ?? "";
  const offlineNote = el("p.check-note", { hidden: true }, OFFLINE);
  const outdatedNote = el("p.check-note", { hidden: true }, OUTDATED);
  status?.after(offlineNote, outdatedNote);
  const photoNote = el("div", { id: "device-check-photos" });
  list?.after(photoNote);
  let shown = "";
  let photosShown = "";
  const warnedOf = { text: false, photos: false };
  let wordsPassed = false;
  let photosDoubted = false;

  const setStatus = (text, kind) => {
    wordsPassed = false;
    if (!status) return;
    status.className = kind;
    if (status.textContent !== text) status.textContent = text;
  };

  /** Rebuild only when something changed: a live region reads every change aloud. */
  const setFindings = (signature, ...nodes) => {
    if (signature === shown) return;
    shown = signature;
    list?.replaceChildren(...nodes);
  };

  const setMarks = (fields, evidence, decision) => {
    const texts = new Map(fields);
    for (const name of MARKED) {
      const mirror = form.querySelector(`[data-marks-for="${name}"]`) ?? document.querySelector(`[data-marks-for="${name}"]`);
      if (!mirror) continue;
      const spans = evidence.filter((span) => span.field === name);
      mirror.classList.toggle("marks--block", decision === "block");
      mirror.hidden = spans.length === 0;
      const pieces = spans.length === 0 ? [] : segments(texts.get(name) ?? "", spans);
      mirror.replaceChildren(...pieces.map(({ text, hit }) => (hit ? el("mark.hit", {}, text) : text)));
    }
  };

  /** The words are fine; what is said of them must not sound as if the photos were too. */
  const setPassed = () => {
    if (photosDoubted) setStatus("Your words were checked on your device: nothing found in them.", "check-wait");
    else setStatus("Checked on your device: nothing found that breaks our rules.", "check-ok");
    wordsPassed = true;
  };

  const setLabel = (part, warned) => {
    warnedOf[part] = warned;
    if (submit) submit.textContent = warnedOf.text || warnedOf.photos ? "Submit for review anyway" : calmLabel;
  };

  function clear(text = "Nothing to check yet.") {
    setStatus(text, "check-wait");
    setFindings("");
    setMarks([], [], "pass");
    setLabel("text", false);
  }

  return {
    clear,
    waiting: (text) => setStatus(text, "check-wait"),
    unavailable(reason) {
      clear(`The check could not run on this device: ${reason}. You can submit as usual; the listing is checked after you submit.`);
    },
    offline: (isOffline) => {
      offlineNote.hidden = !isOffline;
    },
    outdated: (isOutdated) => {
      outdatedNote.hidden = !isOutdated;
    },
    /** The photos in a few words: how many were checked, and which to look at. */
    photos({ text, warned, unsure }, known) {
      setLabel("photos", warned.length > 0);
      photosDoubted = warned.length + unsure > 0;
      if (wordsPassed) setPassed();
      const signature = JSON.stringify([text, warned, known.size]);
      if (signature === photosShown) return;
      photosShown = signature;
      const kind = warned.length > 0 ? "p.check-note" : "p.check-wait";
      photoNote.replaceChildren(...(text ? [el(kind, {}, text)] : []), ...byPolicy(warned).map((photos) => photoFinding(photos, known.get(photos[0].policy))));
    },
    async verdict(fields, verdict) {
      const { decision, policy, evidence } = verdict;
      const warned = decision === "warn" || decision === "block";
      const known = (await policies()).get(policy);
      setLabel("text", warned);
      setMarks(fields, warned || decision === "unsure" ? evidence : [], decision);
      if (decision === "pass") {
        setPassed();
        setFindings("");
      } else if (decision === "unsure") {
        setStatus("Checked on your device: not sure about this one.", "check-wait");
        setFindings(JSON.stringify([decision, policy]), unsureFinding(known));
      } else {
        setStatus("Checked on your device: please look at this before you publish.", "check-note");
        const hits = words(fields, evidence);
        setFindings(JSON.stringify([decision, policy, hits]), warning(decision, policy, known, hits));
      }
    },
  };
}

/** What holds for several photos is said once. */
function byPolicy(warned) {
  const groups = new Map();
  for (const photo of warned) groups.set(photo.policy, [...(groups.get(photo.policy) ?? []), photo]);
  return [...groups.values()];
}

function photoFinding(photos, policy) {
  const decision = photos.some((photo) => photo.decision === "block") ? "block" : photos[0].decision;
  const title = photosNamed(photos);
  return el(
    `div.finding.finding--${decision}`,
    { "data-policy": photos[0].policy, "data-decision": decision, "data-photos": photos.map(({ place }) => place).join(" ") },
    el("h3.finding__title", {}, `${title[0].toUpperCase()}${title.slice(1)}`),
    ...photos.map(({ place, text }) => el("p.finding__why", {}, photos.length === 1 ? text : `Photo ${place}: ${text}`)),
    policy ? el("p.finding__why", {}, el("strong", {}, "Why this happened: "), policy.photo_text || policy.merchant_text) : null,
    el("p.finding__do", {}, el("strong", {}, "What to do: "), PHOTO_ADVICE),
  );
}

function unsureFinding(policy) {
  const why = policy
    ? `Some words are close to our rule on ${policy.name.toLowerCase()}, but the check on your device cannot tell.`
    : "The check on your device does not know enough of these words to judge them.";
  return el(
    "div.finding.finding--unsure",
    {},
    el("h3.finding__title", {}, "We will take a closer look"),
    el("p.finding__why", {}, why),
    el("p.finding__do", {}, "You need not change anything. Submit as usual; the listing is checked again before it is published."),
  );
}

function warning(decision, id, policy, hits) {
  const name = policy?.name ?? id;
  const quoted = hits.map((word) => `“${word}”`).join(", ");
  return el(
    `div.finding.finding--${decision}`,
    { "data-policy": id, "data-decision": decision },
    el("h3.finding__title", {}, name),
    el("p.finding__why", {}, el("strong", {}, "Why this happened: "), policy?.merchant_text ?? "This text reads like something that cannot be sold here."),
    hits.length > 0 ? el("p.finding__words", {}, `Words that led to it: ${quoted}.`) : null,
    policy ? el("p.finding__do", {}, el("strong", {}, "What to do: "), policy.what_to_do) : null,
    el("p.finding__do", {}, "Is the check wrong? Submit it for review anyway: it is looked at before it is published, and nothing you wrote is lost."),
  );
}
