import { AppError } from "../errors.ts";
import type { EntityRow } from "../features/entity-rows.ts";
import type { ViewPlan } from "../features/plan.ts";
import type { Registry } from "../features/registry.ts";

export interface AskedByPath {
  /** The views that the name stands for. */
  readonly views: readonly string[];
  readonly entity: EntityRow;
}

/**
 * Pure. What `/v1/features/{name}/{key}` asks for. The key is read from the URL as it was sent,
 * since an encoded comma is part of a value and a plain one separates two. Throws AppError
 * `not_found`, `unprocessable` or `invalid_request`.
 */
export function entityFromPath(registry: Registry, name: string, url: string): AskedByPath {
  const views = viewsOf(registry, name);
  const columns = columnsOf(registry, name, views);
  const parts = keyParts(new URL(url).pathname.split("/").at(-1) ?? "");
  if (parts.length !== columns.length) {
    const detail = `the key of "${name}" is ${columns.join(",")}; this one has ${parts.length} parts`;
    throw new AppError("unprocessable", detail, {
      errors: [{ path: "key", code: "invalid_key", detail }],
    });
  }
  const entity = Object.fromEntries(columns.map((column, i) => [column, parts[i] ?? ""]));
  return { views: views.map((view) => view.name), entity };
}

function viewsOf(registry: Registry, name: string): readonly ViewPlan[] {
  const named = registry.services.get(name)?.views ?? [name];
  const views = named.flatMap((view) => registry.views.get(view) ?? []);
  if (views.length > 0) return views;
  if (registry.onDemand.has(name) || registry.services.has(name)) {
    throw new AppError(
      "unprocessable",
      `"${name}" is computed from a request: send it to POST /v1/features/online`,
    );
  }
  throw new AppError("not_found", `there is no view or service "${name}"`);
}

function columnsOf(
  registry: Registry,
  name: string,
  views: readonly ViewPlan[],
): readonly string[] {
  const keys = views.map(({ entity }) => registry.entities.get(entity)?.key ?? []);
  const [first = []] = keys;
  if (keys.every((key) => key.join(",") === first.join(","))) return first;
  throw new AppError(
    "unprocessable",
    `the views of "${name}" have different entities: name each in POST /v1/features/online`,
  );
}

function keyParts(segment: string): readonly string[] {
  try {
    return segment.split(",").map((part) => decodeURIComponent(part));
  } catch {
    throw new AppError("invalid_request", "the key is not percent-encoded UTF-8");
  }
}
