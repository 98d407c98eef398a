// Places, and the areas that they are in.
'use strict';

module.exports = [
  {
    name: 'places are found by the area they are in',
    async run({ db, uid }, admin) {
      const { Geo, command: _ } = db;
      const collection = db.collection(await admin.collection());
      await collection.add({ _id: 'inside', place: new Geo.Point(1, 1) });
      await collection.add({ _id: 'outside', place: new Geo.Point(9, 9) });
      const corners = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]].map(([longitude, latitude]) => new Geo.Point(longitude, latitude));
      const geometry = new Geo.Polygon([new Geo.LineString(corners)]);
      const found = [];
      for (const condition of [_.geoWithin({ geometry }), _.geoIntersects({ geometry })]) {
        found.push((await collection.where({ place: condition }).get()).data.map(({ _id }) => _id));
      }
      return found;
    },
    expected: [['inside'], ['inside']],
  },
];
