/** A card's code before the camera: the browser's own detector, or else jsQR. */

import { h, replace } from "../dom.js";
import { t } from "../words.js";
import { readCard } from "./card.js";

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}

type Read = (video: HTMLVideoElement) => Promise<string[]>;
type Jsqr = (data: Uint8ClampedArray, width: number, height: number) => { data: string } | null;
const found = window as unknown as { BarcodeDetector?: { new (options: { formats: string[] }): Detector; getSupportedFormats(): Promise<string[]> }; jsQR?: Jsqr };

/** Whether there can be a camera: browsers give it to secure pages alone. */
export const canScan = (): boolean => navigator.mediaDevices !== undefined;

/** Show the camera until a card is before it; null where somebody went back or there is no camera. */
export async function scanCard(main: HTMLElement): Promise<string | null> {
  const video = h("video", { playsinline: true, class: "camera", "aria-label": t("What the camera sees") });
  video.muted = true;
  let going = true;
  const stop = h("button", { type: "button", class: "wide", onclick: () => (going = false) }, t("Back"));
  const said = h("p", { role: "status" }, t("Hold the card before the camera."));
  replace(main, h("h1", {}, t("Scan a card")), said, video, stop);
  stop.focus();
  let stream: MediaStream | null = null;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    await video.play();
    const read = await reader();
    while (going && main.contains(video)) {
      for (const text of await read(video)) if (readCard(text)) return text;
      await new Promise((resolve) => window.setTimeout(resolve, 120));
    }
  } catch {
    said.textContent = t("There is no camera, or it may not be used. Type the card instead.");
    while (going && main.contains(video)) await new Promise((resolve) => window.setTimeout(resolve, 120));
  } finally {
    stream?.getTracks().forEach((track) => track.stop());
  }
  return null;
}

async function reader(): Promise<Read> {
  const own = found.BarcodeDetector;
  if (own && (await own.getSupportedFormats()).includes("qr_code")) {
    const detector = new own({ formats: ["qr_code"] });
    return async (video) => (await detector.detect(video)).map((one) => one.rawValue);
  }
  if (!found.jsQR) await load("/vendor/jsQR.js");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return (video) => {
    const [width, height] = [video.videoWidth, video.videoHeight];
    if (!width || !context || !found.jsQR) return Promise.resolve([]);
    [canvas.width, canvas.height] = [width, height];
    context.drawImage(video, 0, 0);
    const seen = found.jsQR(context.getImageData(0, 0, width, height).data, width, height);
    return Promise.resolve(seen ? [seen.data] : []);
  };
}

const load = (source: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const script = h("script", { src: source });
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(source));
    document.head.append(script);
  });
