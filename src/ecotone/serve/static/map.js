// The map of a page made one to drag and zoom; without this the page's own picture stands.
"use strict";
(() => {
  const frame = document.getElementById("map");
  if (!frame || !window.L) return;
  const told = frame.dataset;
  const [south, west, north, east] = told.box.split(" ").map(Number);
  frame.hidden = false;
  for (const still of document.querySelectorAll(".still, svg.map")) still.setAttribute("hidden", "");
  const map = L.map(frame, { attributionControl: false, zoomControl: false, minZoom: 1, maxZoom: 17 });
  L.control.zoom({ zoomInTitle: told.in, zoomOutTitle: told.out }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  // Where one points, or the middle: the grid of the picture has no room for its degrees.
  const place = L.control({ position: "bottomright" });
  place.onAdd = () => L.DomUtil.create("output", "place");
  place.addTo(map);
  const degrees = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 4, maximumFractionDigits: 4 });
  const tell = (at) => {
    place.getContainer().textContent =
      degrees.format(Math.abs(at.lat)) + "°" + (at.lat < 0 ? "S" : "N") + "  " +
      degrees.format(Math.abs(at.lng)) + "°" + (at.lng < 0 ? "W" : "E");
  };
  map.on("mousemove", (event) => tell(event.latlng));
  map.on("moveend", () => tell(map.getCenter()));
  L.tileLayer(told.tiles, { noWrap: true, minZoom: 1, maxZoom: 17 }).addTo(map);
  map.fitBounds([[south, west], [north, east]]);
})();
