/** How a device comes to trust a server that made its certificate itself. */

import { h, replace } from "../dom.js";
import { speak, t, wantedLanguage } from "../words.js";
import { LANGUAGES } from "./languages.js";

async function show(): Promise<void> {
  await speak(wantedLanguage(), LANGUAGES);
  const ways: [string, string][] = [
    ["Android", t("Open the file; or Settings, Security, More, Install a certificate, CA certificate, and choose the file.")],
    ["iPhone, iPad", t("Open the file in Safari and allow the profile. Settings, General, VPN and device management: install it. Then General, About, Certificate trust: switch it on.")],
    ["Windows", t("Open the file, Install certificate, This computer, and choose Trusted root certification authorities.")],
    ["macOS", t("Open the file in Keychain Access, choose it, and under Trust choose Always trust.")],
    ["Firefox", t("Settings, Privacy, Certificates, View certificates, Authorities, Import; trust it for websites.")],
    ["Linux, Chromium", t("Settings, Privacy and security, Security, Manage certificates, Authorities, Import.")],
  ];
  document.title = t("Trust this server");
  const root = document.getElementById("page");
  if (!root) return;
  replace(
    root,
    h(
      "main",
      { class: "desk" },
      h("h1", {}, t("Trust this server")),
      h("p", {}, t("This server is on your own network and nobody outside vouches for it, so it made a certificate of its own. A device that has it warns no more, and can use the camera and work without a connection.")),
      h("ol", { class: "steps" }, h("li", {}, h("a", { class: "button", href: "/nearer-ca.crt" }, t("Get the certificate"))), h("li", {}, t("Compare its SHA-256 fingerprint with the one in the window where the server was started.")), h("li", {}, t("Tell your device to trust it:"))),
      h("dl", {}, ...ways.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)])),
      h("p", {}, t("It vouches for names and addresses of local networks alone, so it can open no bank's page. Remove it when the server is gone.")),
      h("p", {}, h("a", { href: "/aid" }, t("Aid desk"))),
    ),
  );
}

void show();
