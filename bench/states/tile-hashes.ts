import { ByteWriter, toBase64 } from "../../src/features/bytes.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import { partialAt } from "../../src/features/state.ts";
import { memoryOf, type Command, type RunRedis } from "./redis.ts";
import { coveredTiles, heldTiles, nameOf, type HeldTile, type TileKey } from "./tiles.ts";

const hashKey = (plan: ViewPlan, key: string, tile: TileKey): string =>
  `tile:${plan.name}:${key}:${nameOf(tile)}`;

/** A tile's partials as fields, packed as Freshet packs them. */
function fieldsOf(plan: ViewPlan, { level, partials }: HeldTile): readonly string[] {
  return (plan.levels[level]?.partials ?? []).flatMap((at, j) => {
    const writer = new ByteWriter();
    partialAt(plan, at).encode(writer, partials[j]);
    return [`p${at}`, toBase64(writer.finish())];
  });
}

const PAGE = 500;

/** What one would keep without packing: the same tiles of an entity, each in a hash of its own. */
export interface TileHashes {
  readonly keys: number;
  /** Their memory; null where Redis does not tell. */
  readonly memory: number | null;
  /** Bytes of names, fields and values. */
  readonly length: number;
}

/** Writes an entity's state as hashes, and says what they take. */
export async function writeHashes(
  run: RunRedis,
  plan: ViewPlan,
  key: string,
  state: string,
): Promise<TileHashes> {
  const commands = heldTiles(plan, state).map((tile): Command => [
    "HSET",
    hashKey(plan, key, tile),
    ...fieldsOf(plan, tile),
  ]);
  for (let i = 0; i < commands.length; i += PAGE) await run(commands.slice(i, i + PAGE));
  const keys = commands.map(([, name = ""]) => name);
  const memory = await memoryOf(run, keys);
  return {
    keys: keys.length,
    memory: memory?.reduce((a, b) => a + b, 0) ?? null,
    length: commands.flatMap((parts) => parts.slice(1)).reduce((sum, text) => sum + text.length, 0),
  };
}

/** Asks for every hash that reads at that instant need: who reads cannot know which there are. */
export async function readHashes(
  run: RunRedis,
  plan: ViewPlan,
  keys: readonly string[],
  asOf: number,
): Promise<void> {
  const tiles = coveredTiles(plan, asOf);
  await run(
    keys.flatMap((key) => tiles.map((tile) => ["HGETALL", hashKey(plan, key, tile)] as const)),
  );
}
