import { expect, it } from "vitest";
import { completePlatforms, dropHosts } from "../../../scripts/lockfile-repair.ts";

const lock = (packages: Record<string, Record<string, unknown>>) => ({ packages });

it("adds the platforms that a mirror left out, and leaves the rest as it is", () => {
  const held = { version: "1.2.3", integrity: "sha512-x", optional: true };
  const repaired = completePlatforms(
    lock({
      "node_modules/@tool/linux-x64-gnu": held,
      "node_modules/tool": {
        version: "1.2.3",
        dev: true,
        optionalDependencies: {
          "@tool/darwin-arm64": "1.2.3",
          "@tool/linux-x64-gnu": "1.2.3",
          "@tool/linux-x64-musl": "1.2.3",
          "@tool/windows-64": "1.2.3",
        },
      },
    }),
  );
  expect(Object.keys(repaired.packages)).toEqual([
    "node_modules/@tool/darwin-arm64",
    "node_modules/@tool/linux-x64-gnu",
    "node_modules/@tool/linux-x64-musl",
    "node_modules/@tool/windows-64",
    "node_modules/tool",
  ]);
  expect(repaired.packages["node_modules/@tool/linux-x64-gnu"]).toEqual(held);
  expect(repaired.packages["node_modules/@tool/linux-x64-musl"]).toEqual({
    version: "1.2.3",
    cpu: ["x64"],
    dev: true,
    libc: ["musl"],
    optional: true,
    os: ["linux"],
  });
  expect(repaired.packages["node_modules/@tool/windows-64"]).toMatchObject({ os: ["win32"] });
  expect(completePlatforms(repaired)).toEqual(repaired);
});

it("adds a nested package's platforms beside it, unless an enclosing folder holds them", () => {
  const tool = (version: string) => ({
    version,
    optionalDependencies: { "@tool/darwin-x64": version },
  });
  const repaired = completePlatforms(
    lock({
      "node_modules/@tool/darwin-x64": { version: "1.0.0" },
      "node_modules/a/node_modules/tool": tool("1.0.0"),
      "node_modules/b": tool("1.0.0"),
      "node_modules/c/node_modules/only": {
        version: "2.0.0",
        optionalDependencies: { "only-win32-x64": "2.0.0" },
      },
    }),
  );
  expect(Object.keys(repaired.packages).filter((path) => path.includes("darwin"))).toHaveLength(1);
  expect(repaired.packages).toHaveProperty(["node_modules/c/node_modules/only-win32-x64"]);
});

it("adds nothing for an optional package that is not one platform's or not pinned", () => {
  const packages = lock({
    "node_modules/tool": {
      version: "1.0.0",
      optionalDependencies: { fsevents: "2.3.3", "@tool/darwin-x64": "^1.0.0" },
    },
  });
  expect(completePlatforms(packages)).toEqual(packages);
});

it("names no registry, and keeps what is resolved inside the project", () => {
  const repaired = dropHosts(
    lock({
      "node_modules/far": { version: "1.0.0", resolved: "https://registry.example/far.tgz" },
      "node_modules/near": { resolved: "packages/near" },
    }),
  );
  expect(repaired.packages).toEqual({
    "node_modules/far": { version: "1.0.0" },
    "node_modules/near": { resolved: "packages/near" },
  });
});
