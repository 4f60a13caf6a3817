/** What is said about a photo, in plain words: its state, what the check found, how its sending goes. No DOM. */
import { region, wholeMap } from "./heat.js";

export const PHOTO_ADVICE = "If it does show that, take this photo out. If it does not, leave it in and submit for review: a person looks at it.";

const TINY_PX = 150; // shorter side
const TINY = " It is a very small picture: buyers see little on it.";

const isTiny = ({ width, height }) => width > 0 && Math.min(width, height) < TINY_PX;
/** This device did not get to judge it. */
const isUnchecked = (photo) => !photo.verdict && Boolean(photo.note || photo.unchecked);
export const isWarned = ({ verdict }) => verdict?.decision === "warn" || verdict?.decision === "block";
export const isUnsure = ({ verdict }) => verdict?.decision === "unsure";

/**
 * @param {object} photo an item of the list
 * @param {Map<string, {name: string}>} policies
 * @returns {{kind: "wait"|"pass"|"unsure"|"warn"|"block"|"none", text: string}}
 */
export function state(photo, policies) {
  if (photo.server && !photo.verdict) return { kind: "none", text: "Stored already." };
  if (!photo.ready && !photo.server) return { kind: "wait", text: "Getting it ready…" };
  if (photo.verdict) return { kind: photo.verdict.decision, text: `${found(photo.verdict, policies, "on this device")}${isTiny(photo) ? TINY : ""}` };
  if (photo.note) return { kind: "none", text: photo.note };
  if (photo.unchecked) return { kind: "none", text: `Not checked on this device: ${photo.unchecked}. It is checked after you submit.` };
  return { kind: "wait", text: "Checking on this device…" };
}

/** A verdict in one sentence. */
export function found({ decision, policy, evidence }, policies, where) {
  if (decision === "pass") return `Nothing found ${where}.`;
  const name = policies.get(policy)?.name ?? policy;
  const map = wholeMap(evidence);
  const place = map ? region(map) : "";
  const what = place ? `${name}, mostly ${place}` : name;
  return decision === "unsure" ? `Not sure: it may be ${what}.` : `Looks like: ${what}.`;
}

/** What the larger model made of the numbers that were sent; it has not seen the photo. */
export function secondOpinion(verdict, policies) {
  if (verdict.decision === "pass") return "Second opinion: nothing found in these numbers. The photo itself is checked after you submit.";
  return `Second opinion: ${found(verdict, policies, "")}`;
}

/** How the sending of one photo goes; "" while there is nothing to say. */
export function sending({ upload, stored }) {
  if (upload?.state === "sending") return `Sending: ${Math.round(upload.share * 100)} %`;
  if (upload?.state === "again") return "The connection was lost. Trying again…";
  if (upload?.state === "refused" || upload?.state === "stopped") return upload.message;
  return stored ? "Sent." : "";
}

/** The photos as a whole, for the panel. */
export function summary(photos, policies) {
  const places = photos.map((photo, index) => ({ photo, place: index + 1 })).filter(({ photo }) => photo.verdict);
  const warned = places.filter(({ photo }) => isWarned(photo));
  const unsure = places.filter(({ photo }) => isUnsure(photo));
  const unchecked = photos.filter(isUnchecked).length;
  const checked = places.length === 1 ? "One photo was checked on your device" : `${places.length} photos were checked on your device`;
  const said = [];
  if (places.length > 0) said.push(`${checked}: ${outcome(warned, unsure)}.`);
  if (unchecked > 0) said.push(`${unchecked === 1 ? "One photo" : `${unchecked} photos`} could not be checked on this device: ${unchecked === 1 ? "it is" : "they are"} checked after you submit.`);
  return {
    unsure: unsure.length,
    text: said.join(" "),
    warned: warned.map(({ photo, place }) => ({
      place,
      policy: photo.verdict.policy,
      decision: photo.verdict.decision,
      text: found(photo.verdict, policies, ""),
    })),
  };
}

function outcome(warned, unsure) {
  const parts = [];
  if (warned.length > 0) parts.push(`please look at ${photosNamed(warned)} before you publish`);
  if (unsure.length > 0) parts.push(`not sure about ${photosNamed(unsure)}`);
  return parts.join("; ") || "nothing found that breaks our rules";
}

/** photo 2, or: photos 1, 2 and 4 */
export function photosNamed(places) {
  const numbers = places.map(({ place }) => place);
  return numbers.length === 1 ? `photo ${numbers[0]}` : `photos ${numbers.slice(0, -1).join(", ")} and ${numbers.at(-1)}`;
}

export function kilobytes(bytes) {
  return `${Math.max(0.1, Math.round(bytes / 102.4) / 10)} KB`;
}
