// Plain JavaScript, because the Node that it turns away cannot read TypeScript.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Freshet runs on Node 22.18 or newer, and this is ${process.versions.node}. ` +
      "The project brings a Node of its own: run `npm ci` without --ignore-scripts, " +
      "then start Freshet through npm, as in `npm start`.",
  );
  process.exitCode = 1;
}
