import { AppError, type FieldError } from "../errors.ts";
import { err, ok, type Result } from "../result.ts";
import type { Vault } from "../governance/vault.ts";
import { canonicalKey } from "./entity-key.ts";
import { exactToText, parseExact } from "./exact.ts";
import type { Entity } from "./define.ts";
import type { Field } from "./fields.ts";
import type { ViewPlan } from "./plan.ts";
import type { Registry } from "./registry.ts";

/** One entity as a client names it: its key columns. */
export type EntityRow = Readonly<Record<string, string | number>>;

export interface KeysContext {
  readonly registry: Registry;
  readonly vault: Pick<Vault, "token">;
  readonly tenant: string;
}

interface KeyColumn {
  readonly name: string;
  readonly field: Field | undefined;
}

/** An entity's key columns, each with the source's field that a view reads it from. */
function columnsOf(registry: Registry, view: ViewPlan): readonly KeyColumn[] {
  const entity = registry.entities.get(view.entity) as Entity;
  const fields = registry.sources.get(view.source)?.fields ?? [];
  return entity.key.map((name, i) => ({
    name,
    field: fields.find((field) => field.name === view.keyColumns[i]),
  }));
}

/** Pure. A key part as the events have it: numbers are canonical; null for what is no number. */
function plainPart(field: Field | undefined, value: string | number): string | null {
  const isText = field?.kind === "string" || field?.kind === "time";
  if (typeof value === "string" && isText) return value;
  const exact = parseExact(String(value));
  if (exact.ok) return exactToText(exact.value);
  return field === undefined || isText ? String(value) : null;
}

/** A view and how its key is made of a row. */
export interface ViewKey {
  readonly view: ViewPlan;
  readonly columns: readonly KeyColumn[];
}

/** Pure. How the views' keys are made, once for many rows. */
export const keysOfViews = (registry: Registry, views: readonly ViewPlan[]): readonly ViewKey[] =>
  views.map((view) => ({ view, columns: columnsOf(registry, view) }));

/** The entity's key in each view; what misses a column or has a bad key is refused, with `path`. */
export async function keysOfRow(
  ctx: KeysContext,
  views: readonly ViewKey[],
  row: EntityRow,
  path: string,
): Promise<Result<ReadonlyMap<string, string>, readonly FieldError[]>> {
  const errors: FieldError[] = [];
  const keys = new Map<string, string>();
  for (const { view, columns } of views) {
    const parts: string[] = [];
    for (const { name, field } of columns) {
      const value = Object.hasOwn(row, name) ? row[name] : undefined;
      if (value === undefined) {
        const detail = `"${view.name}" needs the key column "${name}"`;
        errors.push({ path: `${path}.${name}`, code: "missing_key", detail });
        continue;
      }
      // Only personal keys are awaited: a thousand plain ones must not cost a thousand turns.
      const part =
        field?.pii === "token"
          ? await ctx.vault.token(
              ctx.tenant,
              { ...field, name: field.tokenName ?? field.name },
              String(value),
            )
          : plainPart(field, value);
      if (part !== null) parts.push(part);
      else {
        const detail = `"${view.name}" needs a number for the key column "${name}"`;
        errors.push({ path: `${path}.${name}`, code: "invalid_key", detail });
      }
    }
    if (parts.length < columns.length) continue;
    const key = canonicalKey(parts);
    if (key.ok) keys.set(view.name, key.value);
    else errors.push({ path, code: "invalid_key", detail: key.error });
  }
  return errors.length > 0 ? err(errors) : ok(keys);
}

/** The entity's key in each view, per row; rows that miss a column or have a bad key are errors. */
export async function keysOfRows(
  ctx: KeysContext,
  views: readonly ViewPlan[],
  rows: readonly EntityRow[],
): Promise<readonly ReadonlyMap<string, string>[]> {
  const needed = keysOfViews(ctx.registry, views);
  const errors: FieldError[] = [];
  const keys: ReadonlyMap<string, string>[] = [];
  for (const [i, row] of rows.entries()) {
    const ofRow = await keysOfRow(ctx, needed, row, `entities[${i}]`);
    if (ofRow.ok) keys.push(ofRow.value);
    else errors.push(...ofRow.error);
    if (errors.length >= 20) break;
  }
  if (errors.length > 0) {
    throw new AppError("unprocessable", "some entities cannot be looked up", { errors });
  }
  return keys;
}
