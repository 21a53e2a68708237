/**
 * A text that is another one whenever other views are in use. A view that returns starts anew, so that
 * the same text means the same even where others came and went in between.
 */
export const VIEWS_IN_USE = `(
  SELECT md5(coalesce(string_agg(state_id, ' ' ORDER BY state_id COLLATE "C"), ''))
    FROM feature_views WHERE retired_at IS NULL)`;
