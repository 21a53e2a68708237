export interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
  readonly [field: string]: unknown;
}

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/darwin/, "darwin"],
  [/win32|windows/, "win32"],
  [/android/, "android"],
  [/freebsd/, "freebsd"],
  [/openharmony/, "openharmony"],
  [/linux/, "linux"],
];

const PROCESSORS: readonly (readonly [RegExp, string])[] = [
  [/arm64/, "arm64"],
  [/arm-/, "arm"],
  [/ia32/, "ia32"],
  [/ppc64/, "ppc64"],
  [/riscv64/, "riscv64"],
  [/s390x/, "s390x"],
  [/x64|-64$/, "x64"],
];

/**
 * Pure. Adds an entry for each exactly pinned optional dependency that the lock file names and does
 * not hold, with the platform read from its name (as in `binding-linux-arm64-musl`). It carries no
 * integrity hash: the registry that wrote the lock did not have the package.
 */
export function completePlatforms(lock: Lockfile): Lockfile {
  const packages: Record<string, LockedPackage> = { ...lock.packages };
  for (const [path, owner] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
      const entry = /^\d/.test(version) ? platformPackage(name, version, owner) : undefined;
      if (entry === undefined || isHeld(lock, path, name)) continue;
      packages[siblingPath(path, name)] = entry;
    }
  }
  const sorted = Object.entries(packages).toSorted(([a], [b]) => a.localeCompare(b, "en"));
  return { ...lock, packages: Object.fromEntries(sorted) };
}

/** Pure. Removes the addresses that say which registry the packages came from. */
export function dropHosts(lock: Lockfile): Lockfile {
  const packages: Record<string, LockedPackage> = {};
  for (const [path, entry] of Object.entries(lock.packages)) {
    const { resolved, ...rest } = entry;
    packages[path] = resolved?.startsWith("http") === true ? rest : entry;
  }
  return { ...lock, packages };
}

function platformPackage(
  name: string,
  version: string,
  owner: LockedPackage,
): LockedPackage | undefined {
  const platform = name.slice(name.lastIndexOf("/") + 1);
  const os = SYSTEMS.find(([pattern]) => pattern.test(platform))?.[1];
  const cpu = PROCESSORS.find(([pattern]) => pattern.test(platform))?.[1];
  if (os === undefined || cpu === undefined) return undefined;
  const libc = os === "linux" && platform.includes("musl") ? { libc: ["musl"] } : {};
  const dev = owner["dev"] === true ? { dev: true } : {};
  return { version, cpu: [cpu], ...dev, ...libc, optional: true, os: [os] };
}

/** Node's look-up: the owner's own node_modules first, then each enclosing one. */
function isHeld(lock: Lockfile, owner: string, name: string): boolean {
  for (
    let path = owner;
    ;
    path = path.slice(0, Math.max(0, path.lastIndexOf("node_modules/") - 1))
  ) {
    if (`${path === "" ? "" : `${path}/`}node_modules/${name}` in lock.packages) return true;
    if (path === "") return false;
  }
}

function siblingPath(owner: string, name: string): string {
  return `${owner.slice(0, owner.lastIndexOf("node_modules/"))}node_modules/${name}`;
}
