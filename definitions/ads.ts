import { z } from "zod";
import { count } from "../src/features/aggregation.ts";
import { entity, featureView, onDemand } from "../src/features/define.ts";
import { apiKey, eventSource, joined } from "../src/features/define-source.ts";

// A join pairs events of two sources that belong together: here each click with the view of the ad
// that it followed. Either may come late, twice or before the other.

export const ad = entity("ad", { key: "ad_id", description: "An advertisement of the shop" });

export const adViews = eventSource("ad_views", {
  description: "Every time that an ad was shown to somebody",
  schema: z.object({
    view_id: z.string(),
    ad_id: z.string(),
    shown_at: z.iso.datetime({ offset: true }),
  }),
  id: "view_id",
  eventTime: "shown_at",
  accept: [apiKey()],
});

export const adClicks = eventSource("ad_clicks", {
  description: "Every click on an ad that was shown",
  schema: z.object({
    click_id: z.string(),
    view_id: z.string(),
    clicked_at: z.iso.datetime({ offset: true }),
  }),
  id: "click_id",
  eventTime: "clicked_at",
  accept: [apiKey()],
});

// A click counts within half an hour of its view, which knows the ad.
export const clickedViews = joined("clicked_views", adViews, adClicks, {
  description: "Clicks, each with the view that it followed",
  on: "view_id",
  within: "30m",
  fanOut: 1,
});

export const adShown = featureView("ad_shown", {
  description: "How often an ad was shown",
  entity: ad,
  source: adViews,
  features: { views_7d: count().over("7d") },
});

// Columns of a pair are those of both events, under the names of their sources.
export const adClicked = featureView("ad_clicked", {
  description: "How often an ad was clicked on",
  entity: ad,
  source: clickedViews,
  key: { ad_id: "ad_views__ad_id" },
  features: { clicks_7d: count().over("7d") },
});

export const adRates = onDemand("ad_rates", {
  version: 1,
  description: "How many of an ad's views were followed by a click",
  request: z.object({}),
  from: [adShown, adClicked],
  features: {
    click_through_7d: ({ features: { ad_shown, ad_clicked } }) =>
      ad_shown.views_7d === 0 ? null : ad_clicked.clicks_7d / ad_shown.views_7d,
  },
  cases: [
    {
      request: {},
      features: { ad_shown: { views_7d: 200 }, ad_clicked: { clicks_7d: 3 } },
      expect: { click_through_7d: 0.015 },
    },
    {
      request: {},
      features: { ad_shown: { views_7d: 0 }, ad_clicked: { clicks_7d: 0 } },
      expect: { click_through_7d: null },
    },
  ],
});
